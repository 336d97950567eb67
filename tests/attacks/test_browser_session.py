"""The attacker works on the browser of a person who signs in (RFC 9700 section 4.7, OWASP WSTG-SESS, WSTG-ATHN)."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mapae.server.domain.limits import ACCOUNT
from tests.server.http.browser import Browser, Page, browsing, heard, register, rows
from tests.server.http.conftest import ISSUER, PASSWORD, Server, serving

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def server(sqlite_url: str) -> AsyncIterator[Server]:
    async with serving(sqlite_url) as made:
        yield made


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    await register(server)
    async with browsing(server) as made:
        yield made


async def page_of(browser: Browser, which: str) -> tuple[httpx.Response, dict[str, str]]:
    """A page with a form, and what a person would fill in and press."""
    if which == "login":
        return await browser.authorize(), {"username": "alice", "password": PASSWORD}
    consent = await browser.sign_in(await browser.authorize())
    if which == "consent":
        return consent, {"decision": "allow"}
    return await browser.open("/oauth/logout"), {}


async def state(server: Server) -> list[list[dict[str, object]]]:
    """All that a form may change."""
    return [await rows(server, table) for table in ("sessions", "consents", "devices", "logout_deliveries")]


CROSS_SITE: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "https://evil.auth.example.com"},
    {"Origin": "http://auth.example.com"},
    {"Origin": "https://auth.example.com.evil.example"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": ISSUER, "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("which", ["login", "consent", "logout"])
async def test_a_form_that_another_site_sends_changes_nothing(
    server: Server, browser: Browser, which: str
) -> None:
    page, typed = await page_of(browser, which)
    (form,) = Page(page.text).forms
    before = await state(server)
    for headers in CROSS_SITE:
        answer = await browser.http.post(form.action, data={**form.fields, **typed}, headers=headers)
        assert answer.status_code == 403, headers
        assert "set-cookie" not in answer.headers
    assert await state(server) == before
    own = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    sound = await browser.http.post(form.action, data={**form.fields, **typed}, headers=own)
    assert sound.status_code in (200, 303)
    assert await state(server) != before


@pytest.mark.parametrize("which", ["login", "consent", "logout"])
@pytest.mark.parametrize("forged", ["", "A" * 43, "another browser's", "of before the sign-in"])
async def test_a_form_without_the_token_of_this_browser_and_session_changes_nothing(
    server: Server, browser: Browser, which: str, forged: str
) -> None:
    (early,) = Page((await browser.authorize()).text).forms
    page, typed = await page_of(browser, which)
    (form,) = Page(page.text).forms
    if forged == "another browser's":
        async with browsing(server) as other:
            (foreign,) = Page((await page_of(other, which))[0].text).forms
            forged = foreign.fields["csrf"]
    elif forged == "of before the sign-in":
        if which == "login":
            return
        forged = early.fields["csrf"]
    before = await state(server)
    data = {**form.fields, **typed, "csrf": forged}
    answer = await browser.http.post(form.action, data=data)
    # A log-out without any token may be the request of a client: it goes on to where the user is asked.
    assert answer.status_code == (303 if which == "logout" and not forged else 403)
    assert await state(server) == before


async def test_a_form_without_the_cookie_signs_nobody_in(server: Server, browser: Browser) -> None:
    page, typed = await page_of(browser, "login")
    (form,) = Page(page.text).forms
    browser.http.cookies.clear()
    answer = await browser.http.post(form.action, data={**form.fields, **typed})
    assert answer.status_code == 403
    assert await rows(server, "sessions") == []


async def test_a_cookie_is_for_this_host_over_https_and_for_no_script(browser: Browser) -> None:
    login = await browser.authorize()
    (form,) = Page(login.text).forms
    typed = {"username": "alice", "password": PASSWORD}
    answer = await browser.http.post(form.action, data={**form.fields, **typed})
    cookies = [*login.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-mapae",
        "__Host-mapae-csrf",
        "__Host-mapae-device",
    }
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
        assert not [one for one in attributes if one.startswith("domain")]


async def test_a_cookie_that_was_planted_is_not_the_one_of_the_session(
    server: Server, browser: Browser
) -> None:
    """Session fixation."""
    browser.http.cookies.set("__Host-mapae", "planted", domain="auth.example.com")
    await browser.sign_in(await browser.authorize())
    async with browsing(server) as attacker:
        attacker.http.cookies.set("__Host-mapae", "planted")
        assert heard(await attacker.authorize(prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize(
    "tossed", ["mapae=tossed", "__Host-mapae=tossed", "__Host-mapae=" + "x" * 8000, "__Host-mapae=\xff"]
)
async def test_a_second_cookie_of_the_name_is_no_session(
    server: Server, browser: Browser, tossed: str
) -> None:
    await browser.arrive()
    cookie = f"__Host-mapae={browser.http.cookies['__Host-mapae']}"
    async with browsing(server) as thief:
        for both in (f"{tossed}; {cookie}", f"{cookie}; {tossed}"):
            headers = [(b"cookie", both.encode("latin-1"))]
            answer = await thief.http.get("/oauth/logout", headers=headers)
            assert answer.status_code == 200
            # A name without the prefix is not looked at; two of the same name are none.
            assert ("logout-confirm" in answer.text) == tossed.startswith("mapae")


async def test_unknown_user_and_wrong_password_look_the_same(browser: Browser) -> None:
    answers: dict[str, Any] = {}
    for username, password in (("alice", "not the password"), ("carol", "not the password"), ("alice", "x")):
        page = await browser.authorize()
        (form,) = Page(page.text).forms
        data = {**form.fields, "username": username, "password": password}
        answer = await browser.http.post(form.action, data=data)
        body = answer.text.replace(username, "NAME")
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("x-request-id", "set-cookie")
        }
        cookies = [cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")]
        # The stamp of the request may be that of the next second.
        answers[f"{username} {password}"] = answer.status_code, len(body), headers, cookies
    assert len({json.dumps(answer) for answer in answers.values()}) == 1, answers


async def test_guesses_at_the_page_are_counted_with_those_at_the_other_door(
    server: Server, browser: Browser
) -> None:
    page = await browser.authorize()
    for number in range(ACCOUNT.burst):
        if number % 2:
            await server.login("alice", "not the password", headers={})
        else:
            page = await browser.sign_in(page, "alice", "not the password")
            assert page.status_code == 400
    refused = await browser.sign_in(page)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert "Too many" in refused.text


async def test_a_person_whose_browser_is_known_gets_in_although_strangers_guess(
    server: Server, browser: Browser
) -> None:
    await browser.arrive()
    for _ in range(ACCOUNT.burst):
        await server.login("alice", "not the password", headers={})
    login = await browser.authorize(prompt="login")
    assert "code" in heard(await browser.sign_in(login))


ELSEWHERE = [
    "//evil.example",
    "https://evil.example/oauth/authorize?client_id=web",
    "https:evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "/oauth/authorize",
    "/oauth/authorize/../../evil",
    "/oauth/authorize@evil.example?client_id=web",
    "/oauth/token?client_id=web",
    "/login?return_to=/oauth/authorize",
    " /oauth/authorize?client_id=web",
    "/oauth/authorize?client_id=nobody",
    "/oauth/authorize?%ff",
]


async def test_a_page_leads_back_to_a_request_and_nowhere_else(browser: Browser) -> None:
    (form,) = Page((await browser.authorize()).text).forms
    typed = {**form.fields, "username": "alice", "password": PASSWORD}
    for return_to in ELSEWHERE:
        answers = [
            await browser.http.get("/login", params={"return_to": return_to}),
            await browser.http.get("/consent", params={"return_to": return_to}),
            await browser.http.post("/login", data={**typed, "return_to": return_to}),
        ]
        told = [(answer.status_code, answer.headers.get("location")) for answer in answers]
        assert told == [(400, None)] * 3, return_to


async def test_the_consent_page_cannot_be_jumped_to(server: Server, browser: Browser) -> None:
    (form,) = Page((await browser.authorize()).text).forms
    answer = await browser.http.get("/consent", params={"return_to": form.fields["return_to"]})
    assert answer.headers["location"].startswith("/oauth/authorize?")
    data = {"csrf": form.fields["csrf"], "return_to": form.fields["return_to"], "decision": "allow"}
    answer = await browser.http.post("/consent", data=data)
    assert answer.headers["location"].startswith("/oauth/authorize?")
    assert await rows(server, "consents") == []


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


async def test_words_of_others_stay_words(server: Server, browser: Browser) -> None:
    await register(server, "hostile", client_name=HOSTILE, scope=f"openid {'<b>'}")
    changed = {
        "client_id": "hostile",
        "login_hint": HOSTILE,
        "ui_locales": HOSTILE,
        "state": HOSTILE,
        "scope": "openid",
    }
    login = await browser.authorize(**changed)
    refused = await browser.sign_in(login, HOSTILE)
    consent = await browser.sign_in(refused)
    deny = await browser.authorize(**changed, response_mode="form_post", prompt="consent")
    denied = await browser.submit(deny, "consent-deny")
    for answer in (login, refused, consent, denied):
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text


@pytest.mark.parametrize(
    "password", ["p" * 1025, "p" * 12_000, "a\x00b", PASSWORD + "\x00", PASSWORD[:-1], PASSWORD + "x" * 80]
)
async def test_a_password_is_neither_cut_nor_cleaned(server: Server, browser: Browser, password: str) -> None:
    answer = await browser.sign_in(await browser.authorize(), "alice", password)
    assert answer.status_code == 400
    assert await rows(server, "sessions") == []


async def test_a_body_of_a_megabyte_is_not_read(browser: Browser) -> None:
    answer = await browser.http.post("/login", content=b"password=" + b"p" * 2**20, headers=FORM)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}),
        (b"--x--", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"username=a&username=b", FORM),
        (b"username=%ff", FORM),
        ("username=ü".encode(), FORM),
        (b"", FORM),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(
    browser: Browser, body: bytes, headers: dict[str, str]
) -> None:
    for page in ("/login", "/consent", "/oauth/logout", "/oauth/authorize"):
        answer = await browser.http.post(page, content=body, headers=headers)
        assert answer.status_code in (303, 400, 403, 415)
        assert answer.headers.get("location", "").partition("?")[0] in (
            "",
            "/oauth/logout",
            "/oauth/authorize",
        )


async def test_after_the_log_out_there_is_no_way_back(server: Server, browser: Browser) -> None:
    await browser.arrive()
    cookies = {**browser.http.cookies}
    await browser.submit(await browser.open("/oauth/logout"), "logout-confirm")
    assert "__Host-mapae" not in browser.http.cookies
    async with browsing(server) as thief:
        thief.http.cookies.update(cookies)
        assert heard(await thief.authorize(prompt="none"))["error"] == "login_required"


async def test_another_site_cannot_sign_a_person_out(server: Server, browser: Browser) -> None:
    await browser.arrive()
    await browser.open("/oauth/logout?client_id=web&post_logout_redirect_uri=https://app.example.com/bye")
    await browser.follow(await browser.http.post("/oauth/logout", data={"client_id": "web"}))
    assert "code" in heard(await browser.authorize(prompt="none"))


async def test_nothing_that_signs_anybody_in_is_in_the_log(
    server: Server, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    login = await browser.authorize()
    (form,) = Page(login.text).forms
    await browser.sign_in(login, "alice", "not the password")
    told = await browser.arrive(state="of the client")
    await browser.redeem(told["code"])
    await browser.authorize(prompt="none", max_age="0")
    logged = "".join(capsys.readouterr())
    assert "/oauth/authorize" in logged
    secrets = [told["code"], PASSWORD, "not the password", form.fields["csrf"], "of the client"]
    for secret in (*secrets, *browser.http.cookies.values()):
        assert secret not in logged
