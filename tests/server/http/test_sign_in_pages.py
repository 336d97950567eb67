"""Signing in at the page and agreeing to what a client wants, as people and clients see it; on both databases."""

import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from mapae.jose import jws, jwt
from mapae.server.store import tables
from tests.server.http.browser import CALLBACK, Browser, Page, browsing, heard, register, rows
from tests.server.http.conftest import ISSUER, Server, bearer, serving
from tests.server.http.statements import statements


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    await register(server)
    async with browsing(server) as made:
        yield made


@pytest.fixture
async def alone(sqlite_url: str) -> AsyncIterator[Server]:
    """A server on SQLite, for what no database can change."""
    async with serving(sqlite_url) as made:
        yield made


async def age(server: Server, *, seconds: int) -> None:
    """Let the user have been authenticated longer ago."""
    async with server.database.writing.connect() as connection:
        authenticated_at = tables.sessions.c.authenticated_at - seconds
        await connection.execute(update(tables.sessions).values(authenticated_at=authenticated_at))
        await connection.commit()


async def test_a_browser_signs_in_once_and_is_asked_once(server: Server, browser: Browser) -> None:
    login = await browser.authorize(nonce="n-0S6")
    assert login.url.path == "/login"
    assert "Sign in" in login.text
    assert "Web shop" in login.text
    consent = await browser.sign_in(login)
    assert consent.url.path == "/consent"
    told = heard(await browser.submit(consent, "consent-allow"))
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("a state", ISSUER)
    again = heard(await browser.authorize(prompt="none"))
    assert set(again) == {"code", "state", "iss"}
    codes = await rows(server, "codes")
    assert {code["scope"] for code in codes} == {"openid profile"}
    assert {code["nonce"] for code in codes} == {"n-0S6", None}
    assert told["code"] not in repr(codes)
    (session,) = await rows(server, "sessions")
    assert {code["session_id"] for code in codes} == {session["id"]}


async def test_who_does_not_agree_is_told_to_the_client_and_asked_again(browser: Browser) -> None:
    consent = await browser.sign_in(await browser.authorize())
    assert heard(await browser.submit(consent, "consent-deny"))["error"] == "access_denied"
    assert (await browser.authorize()).url.path == "/consent"


async def test_more_scope_is_asked_for_and_what_was_agreed_to_before_stays(browser: Browser) -> None:
    await browser.arrive(scope="openid")
    consent = await browser.authorize(scope="openid email")
    assert "e-mail" in Page(consent.text).text
    assert "code" in heard(await browser.submit(consent, "consent-allow"))
    assert "code" in heard(await browser.authorize(scope="openid email", prompt="none"))
    assert "code" in heard(await browser.authorize(scope="openid", prompt="none"))


@pytest.mark.parametrize("changed", [{"prompt": "login"}, {"max_age": "5"}, {"prompt": "select_account"}])
async def test_a_user_signs_in_again_and_keeps_the_session(
    server: Server, browser: Browser, changed: dict[str, str]
) -> None:
    await browser.arrive()
    await age(server, seconds=10)
    before = {**browser.http.cookies}
    login = await browser.authorize(**changed)
    assert login.url.path == "/login"
    assert "code" in heard(await browser.sign_in(login))
    assert browser.http.cookies["__Host-mapae"] != before["__Host-mapae"]
    first, second = await rows(server, "codes")
    assert first["session_id"] == second["session_id"]
    assert isinstance(first["auth_time"], int)
    assert isinstance(second["auth_time"], int)
    assert second["auth_time"] >= first["auth_time"]
    async with browsing(server) as thief:
        thief.http.cookies.update(before)
        assert heard(await thief.authorize(prompt="none"))["error"] == "login_required"


async def test_another_user_gets_a_session_of_their_own_and_ends_the_first(
    server: Server, browser: Browser
) -> None:
    await browser.arrive()
    login = await browser.authorize(prompt="login")
    assert (await browser.sign_in(login, "bob")).url.path == "/consent"
    first, second = sorted(await rows(server, "sessions"), key=lambda row: row["ended_at"] is None)
    assert (first["ended_reason"], second["ended_reason"]) == ("logged_out", None)


async def test_a_session_of_a_browser_is_listed_and_can_be_ended_elsewhere(
    server: Server, browser: Browser
) -> None:
    await browser.arrive()
    elsewhere = bearer(await server.login())
    listed = (await server.http.get("/auth/sessions", headers=elsewhere)).json()["sessions"]
    (there,) = [one for one in listed if not one["current"]]
    assert there["client_id"] == "mapae"
    assert (await server.http.delete(f"/auth/sessions/{there['id']}", headers=elsewhere)).status_code == 204
    assert heard(await browser.authorize(prompt="none"))["error"] == "login_required"


async def test_sessions_run_out_for_browsers_too(server: Server, browser: Browser) -> None:
    await browser.arrive()
    await age(server, seconds=7 * 86400)
    assert heard(await browser.authorize(prompt="none"))["error"] == "login_required"


async def test_a_disabled_user_is_signed_out_at_once(server: Server, browser: Browser) -> None:
    await browser.arrive()
    async with server.database.writing.connect() as connection:
        await connection.execute(update(tables.users).values(disabled_at=1))
        await connection.commit()
    login = await browser.authorize()
    assert login.url.path == "/login"
    refused = await browser.sign_in(login)
    assert refused.status_code == 403
    assert "disabled" in refused.text


async def test_what_went_wrong_is_told_on_the_page_and_the_name_stays(alone: Server) -> None:
    await register(alone)
    async with browsing(alone) as browser:
        refused = await browser.sign_in(await browser.authorize(), "alice", "not the password")
        assert refused.status_code == 400
        (form,) = Page(refused.text).forms
        assert form.fields["username"] == "alice"
        assert form.fields["password"] == ""
        assert (await browser.sign_in(refused)).url.path == "/consent"


async def test_a_hint_is_what_the_page_begins_with(alone: Server) -> None:
    await register(alone)
    async with browsing(alone) as browser:
        (form,) = Page((await browser.authorize(login_hint="bob@example.com")).text).forms
        assert form.fields["username"] == "bob@example.com"


async def test_the_page_without_a_request_signs_in_too(alone: Server) -> None:
    async with browsing(alone) as browser:
        signed_in = await browser.sign_in(await browser.open("/login"))
        assert "alice" in Page(signed_in.text).text
        assert "/oauth/logout" in Page(signed_in.text).links


@pytest.mark.parametrize(("mode", "form"), [("query", False), ("fragment", False), ("form_post", True)])
async def test_the_answer_travels_as_the_client_wants(alone: Server, mode: str, form: bool) -> None:
    await register(alone)
    async with browsing(alone) as browser:
        await browser.arrive()
        answer = await browser.authorize(response_mode=mode, state='"><script>alert(1)</script>')
        if form:
            (posted,) = Page(answer.text).forms
            assert posted.action == CALLBACK
            told = posted.fields
            assert "<script>alert" not in answer.text
        else:
            assert answer.headers["location"][len(CALLBACK)] == ("#" if mode == "fragment" else "?")
            told = heard(answer)
        assert set(told) == {"code", "state", "iss"}
        assert told["state"] == '"><script>alert(1)</script>'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_request_may_come_as_a_form(alone: Server) -> None:
    await register(alone)
    async with browsing(alone) as browser:
        data = {
            "client_id": "web",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        answer = await browser.follow(await browser.http.post("/oauth/authorize", data=data))
        assert answer.url.path == "/login"


async def test_a_client_may_name_the_user_as_it_knows_them(alone: Server) -> None:
    await register(alone, "pairwise", subject_type="pairwise")
    await register(alone)
    async with browsing(alone) as browser:
        hints = {}
        for client_id in ("pairwise", "web"):
            told = await browser.arrive(client_id=client_id)
            hints[client_id] = (await browser.redeem(told["code"], client_id=client_id)).json()["id_token"]
        subjects = {jwt.parse_claims(jws.split(hint).payload)["sub"] for hint in hints.values()}
        assert len(subjects) == 2
        for client_id, hint in hints.items():
            asked = {"client_id": client_id, "prompt": "none"}
            assert "code" in heard(await browser.authorize(**asked, id_token_hint=hint))
            another = json.dumps({"id_token": {"sub": {"value": "another"}}})
            assert heard(await browser.authorize(**asked, claims=another))["error"] == "login_required"
        crossed = heard(await browser.authorize(client_id="web", id_token_hint=hints["pairwise"]))
        assert crossed["error"] == "invalid_request"


async def test_a_code_for_who_is_signed_in_is_one_read_one_write_and_one_commit(database_url: str) -> None:
    async with serving(database_url) as server:
        await register(server)
        async with browsing(server) as browser:
            await browser.arrive()
            with statements() as made:
                assert "code" in heard(await browser.authorize())
            assert made == ["SELECT", "INSERT"]
