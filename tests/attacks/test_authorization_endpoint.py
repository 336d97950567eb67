"""The attacker makes the links that a person follows (RFC 9700 section 4.1, RFC 6749 sections 3.1.2 and 10)."""

from collections.abc import AsyncIterator
from itertools import product
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.server.http.browser import (
    CALLBACK,
    Browser,
    Page,
    authorization,
    browsing,
    heard,
    register,
    rows,
)
from tests.server.http.conftest import Server, serving

LOOPBACK = "http://127.0.0.1/callback"


@pytest.fixture
async def server(sqlite_url: str) -> AsyncIterator[Server]:
    async with serving(sqlite_url) as made:
        yield made


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    """Of alice, who is signed in and has agreed to what the web shop wants."""
    await register(server)
    async with browsing(server) as made:
        await made.arrive()
        yield made


LOOK_ALIKES = [
    None,
    "",
    "https://app.example.com/callback/",
    "https://app.example.com/callback/more",
    "https://app.example.com/callbac",
    "https://app.example.com/x/../callback",
    "https://app.example.com/%2e%2e/callback",
    "https://app.example.com/callback?added=1",
    "https://app.example.com/callback#fragment",
    "https://app.example.com/Callback",
    "HTTPS://app.example.com/callback",
    "https://APP.example.com/callback",
    "http://app.example.com/callback",
    "https://app.example.com:8443/callback",
    "https://app.example.com.evil.example/callback",
    "https://app.example.com@evil.example/callback",
    "https://evil.example\\@app.example.com/callback",
    "https://аpp.example.com/callback",  # Cyrillic
    "//app.example.com/callback",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "https://app.example.com/callback\r\nSet-Cookie: a=b",
    "https://app.example.com/callback\x00",
    " https://app.example.com/callback",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:5000/callback",
]


@pytest.mark.parametrize("prompt", [None, "none", "login"])
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    browser: Browser, prompt: str | None
) -> None:
    for redirect_uri in LOOK_ALIKES:
        answer = await browser.authorize(redirect_uri=redirect_uri, prompt=prompt)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "error=unregistered_redirect_uri" in answer.text
        assert "<script>alert" not in answer.text


NOT_THIS_MACHINE = [
    "http://localhost/callback",
    "http://127.0.0.2/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://127.0.0.1:80@evil.example/callback",
    "http://127.0.0.1:99999999/callback",
    "http://127.1/callback",
    "http://2130706433/callback",
    "https://127.0.0.1/callback",
    "http://127.0.0.1:5000/other",
]


async def test_only_the_port_of_a_loopback_literal_is_free(server: Server) -> None:
    await register(server, "native", application_type="native", redirect_uris=[LOOPBACK])
    async with browsing(server) as browser:
        for redirect_uri in NOT_THIS_MACHINE:
            refused = await browser.authorize(client_id="native", redirect_uri=redirect_uri)
            assert (refused.status_code, refused.headers.get("location")) == (400, None)
        sound = await browser.authorize(client_id="native", redirect_uri="http://127.0.0.1:5000/callback")
        assert sound.url.path == "/login"


async def test_an_unknown_client_is_told_to_the_person_alone(browser: Browser) -> None:
    for client_id in (None, "", "nobody", "Web", "web ", "web\x00", "' OR 1=1 --", "w" * 5000):
        answer = await browser.authorize(client_id=client_id)
        assert (answer.status_code, answer.headers.get("location")) == (400, None)
        assert "rror" in answer.text


MALFORMED: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "foo"}, "unsupported_response_type"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token", "nonce": "n"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": "token", "response_mode": "query"}, "invalid_request"),
    ({"response_mode": "web_message"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "abc"}, "invalid_request"),
    ({"max_age": "٣"}, "invalid_request"),
    ({"claims": "{"}, "invalid_request"),
    ({"claims": "[]"}, "invalid_request"),
    ({"claims": '{"userinfo": {"email": [[[[[[]]]]]]}}'}, "invalid_request"),
    ({"claims": '{"userinfo": ' + '{"a":' * 100 + "1" + "}" * 101}, "invalid_request"),
    ({"claims": '{"id_token": {"sub": {"value": 1e999}}}'}, "invalid_request"),
    ({"id_token_hint": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ({"request_uri": "http://169.254.169.254/latest"}, "request_uri_not_supported"),
    ({"request_uri": "file:///etc/passwd"}, "request_uri_not_supported"),
    ({"request_uri": "https://[::ffff:127.0.0.1]/"}, "request_uri_not_supported"),
    ({"resource": "https://evil.example"}, "invalid_target"),
    ({"scope": 'a"b'}, "invalid_scope"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"nonce": "\x00"}, "invalid_request"),
]


async def test_what_is_malformed_is_told_to_the_client(server: Server, browser: Browser) -> None:
    before = len(await rows(server, "codes"))
    for changed, error in MALFORMED:
        told = heard(await browser.authorize(**changed))
        assert (told["error"], told["state"]) == (error, "a state"), changed
        assert told.keys() == {"error", "error_description", "state", "iss"}
    assert len(await rows(server, "codes")) == before


STATES = [
    '"><script>alert(1)</script>',
    "a\r\nSet-Cookie: b=c",
    "%0d%0a",
    "한국어 \u202e \x00",
    "&code=mine#",
    "s" * 5000,
]


async def test_state_comes_back_exactly_and_can_do_nothing_on_the_way(browser: Browser) -> None:
    for state, mode in product(STATES, ("query", "fragment")):
        answer = await browser.authorize(state=state, response_mode=mode)
        location = answer.headers["location"]
        assert location.isascii()
        assert location.isprintable()
        parts = urlsplit(location)
        told = parse_qs(parts.fragment if mode == "fragment" else parts.query, keep_blank_values=True)
        assert told["state"] == [state]
        assert len(told["code"]) == 1
        assert "set-cookie" not in answer.headers


async def test_too_long_a_request_is_refused_whatever_is_in_it(browser: Browser) -> None:
    many = "".join(f"&u{number}=x" for number in range(500))
    assert "code" in heard(await browser.open(authorization() + many))
    for more in ("".join(f"&u{number}=x" for number in range(5_000)), "&u=" + "x" * 60_000):
        answer = await browser.open(authorization() + more)
        assert (answer.status_code, answer.headers.get("location")) == (400, None)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_two_values_of_what_is_to_be_trusted_are_none(browser: Browser, name: str) -> None:
    answer = await browser.open(f"{authorization()}&{name}=https://evil.example")
    assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_percent_encoded_bytes_that_are_no_text_are_refused(browser: Browser) -> None:
    answer = await browser.open(f"{authorization(state=None)}&state=%ff%fe")
    assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_nobody_is_asked_behind_their_back(server: Server, browser: Browser) -> None:
    async with browsing(server) as stranger:
        assert heard(await stranger.authorize(prompt="none"))["error"] == "login_required"
    assert heard(await browser.authorize(prompt="none", max_age="0"))["error"] == "login_required"
    assert heard(await browser.authorize(prompt="none", scope="openid email"))["error"] == "consent_required"


async def test_a_client_that_moves_elsewhere_asks_again(server: Server, browser: Browser) -> None:
    moved = "https://other.example.com/callback"
    await register(server, "two", redirect_uris=[CALLBACK, moved])
    await browser.arrive(client_id="two")
    assert "code" in heard(await browser.authorize(client_id="two", prompt="none"))
    answer = await browser.authorize(client_id="two", redirect_uri=moved)
    assert "other.example.com" in Page(answer.text).text
    assert answer.url.path == "/consent"


async def test_an_app_on_the_machine_is_never_let_through_silently(server: Server, browser: Browser) -> None:
    await register(server, "native", application_type="native", redirect_uris=[LOOPBACK])
    asked = {"client_id": "native", "redirect_uri": "http://127.0.0.1:5000/callback"}
    for _ in range(2):
        consent = await browser.authorize(**asked)
        assert consent.url.path == "/consent"
        assert "code=" in (await browser.submit(consent, "consent-allow")).headers["location"]


async def test_a_stamp_of_one_request_does_nothing_for_another(server: Server, browser: Browser) -> None:
    login = await browser.authorize(prompt="login")
    (form,) = Page(login.text).forms
    await browser.sign_in(login)
    stamp = parse_qs(urlsplit(form.fields["return_to"]).query)["began"][0]
    assert (await browser.authorize(prompt="login", scope="openid", began=stamp)).url.path == "/login"
    assert (await browser.authorize(prompt="consent", began=stamp)).url.path == "/consent"
    assert (
        await browser.authorize(prompt="login", began=f"0.{stamp.partition('.')[2]}")
    ).url.path == "/login"


async def test_pages_are_not_framed_not_stored_and_tell_nobody_where_one_came_from(browser: Browser) -> None:
    for answer in (
        await browser.authorize(prompt="login"),
        await browser.authorize(prompt="consent"),
        await browser.open("/oauth/logout"),
        await browser.authorize(client_id="nobody"),
    ):
        headers = answer.headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers.get_list("x-frame-options") == ["DENY"]
        assert headers["cache-control"] == "no-store"
        assert headers.get_list("referrer-policy") == ["no-referrer"]


async def test_no_other_origin_is_let_in(browser: Browser) -> None:
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        answer = await browser.http.request(method, authorization(), headers=origin)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_stolen_database_signs_nobody_in(server: Server, browser: Browser) -> None:
    cookie = browser.http.cookies["__Host-mapae"]
    (session,) = await rows(server, "sessions")
    assert cookie not in repr(await rows(server, "sessions"))
    digest = session["cookie_digest"]
    assert isinstance(digest, bytes)
    async with browsing(server) as thief:
        for stolen in (digest.hex(), str(session["id"])):
            thief.http.cookies.set("__Host-mapae", stolen)
            assert heard(await thief.authorize(prompt="none"))["error"] == "login_required"
