"""Attacks on the token endpoint and its grants (RFC 6749, RFC 7636, RFC 8707, RFC 9700)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from mapae.jose import base64url
from mapae.server.app import build
from mapae.server.settings import load_settings
from mapae.server.store import tables
from tests.server.http.clients import (
    CALLBACK,
    CHALLENGE,
    SECRET,
    VERIFIER,
    Asking,
    a_code,
    add_clients,
    basic,
)
from tests.server.http.conftest import ENVIRON, INSTANCE, ISSUER, Server, bearer, running, serving

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[Asking]:
    async with serving(sqlite_url) as server:
        await add_clients(server)
        yield Asking(server, "web")


def refused(answer: httpx.Response, status: int, error: str) -> None:
    """An OAuth error that says nothing else, and may be sent as it is (RFC 6749 section 5.2)."""
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    description = answer.json()["error_description"]
    assert all(" " <= one <= "~" and one not in '"\\' for one in description)
    assert set(answer.json()) <= {"error", "error_description", "reason", "ended_at"}


async def test_fifty_who_present_one_code_at_once_are_one_success(server: Server, database_url: str) -> None:
    """RFC 9700 section 4.5, RFC 6749 section 10.5: also when two processes are asked."""
    await add_clients(server)
    web = Asking(server, "web")
    code = await a_code(web.server, "web")
    second = build(load_settings(ENVIRON | {"MAPAE_DATABASE_URL": database_url}))
    transport = httpx.ASGITransport(second, client=("192.0.2.8", 4711))
    async with running(second), httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        other = Server(second, http, web.server.database, web.server.users)
        # Each process has learnt the secret by then, so that all fifty arrive at the code together.
        askers = [web, Asking(other, "web")]
        for asker in askers:
            refused(await asker.redeem("nothing"), 400, "invalid_grant")
        answers = await asyncio.gather(*(askers[number % 2].redeem(code) for number in range(50)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.json()["error"] for answer in answers if answer is not won[0]} == {"invalid_grant"}
    async with web.server.database.reading() as unit:
        families = (await unit._connection.execute(select(tables.families.c.ended_reason))).all()
    assert [row.ended_reason for row in families] == ["replayed"], "one grant, and the other 49 ended it"


async def test_whoever_intercepts_a_code_cannot_use_it(web: Asking) -> None:
    """RFC 7636, RFC 9700 section 4.5.3."""
    spa = Asking(web.server, "spa")
    code = await a_code(web.server, "spa")
    for verifier in ("", CHALLENGE.value, VERIFIER[:-1], VERIFIER[:42], VERIFIER + "A" * 86, VERIFIER + "%"):
        refused(await spa.redeem(code, code_verifier=verifier), 400, "invalid_grant")
    assert (await spa.redeem(code)).status_code == 200


async def test_a_verifier_for_a_request_without_challenge_is_a_downgrade(web: Asking) -> None:
    """RFC 9700 section 4.8.2."""
    code = await a_code(web.server, "web", challenge=None)
    refused(await web.redeem(code), 400, "invalid_grant")
    assert (await web.redeem(code, code_verifier="")).status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM, 400),
        (b"grant_type=client_credentials&scope=orders:read&scope=openid", FORM, 400),
        (b'{"grant_type": "client_credentials"}', {"Content-Type": "application/json"}, 400),
        (b"--a\r\n\r\n--a--", {"Content-Type": "multipart/form-data; boundary=a"}, 400),
        (b"grant_type=client_credentials", {"Content-Type": f"{FORM['Content-Type']}; charset=utf-16"}, 400),
        (b"grant_type=client_credentials", {}, 400),
        (b"grant_type=client_credentials&scope=%ff", FORM, 400),
        (b"grant_type=client_credentials&scope=%00", FORM, 400),
        (b"grant_type=client_credentials&scope=a%22b", FORM, 400),
        (b"grant_type=client_credentials&" + b"a=1&" * 200, FORM, 400),
        (b"", FORM, 400),
        (b"a" * 20_000, FORM, 413),
        (b"a" * 10_000_000, FORM, 413),
    ],
    ids=["twice", "scope twice", "JSON", "multipart", "UTF-16", "no type", "no UTF-8", "NUL", "quote", "200 parameters",
         "empty", "20 KB", "10 MB"],
)  # fmt: skip
async def test_what_is_no_sound_form_is_refused(
    web: Asking, body: bytes, headers: dict[str, str], status: int
) -> None:
    """RFC 6749 section 3.2."""
    answer = await web.server.http.post("/oauth/token", content=body, headers={**basic("web"), **headers})
    error = "invalid_scope" if b"%22" in body else "invalid_request"
    refused(answer, status, error)


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"),
        ("", "invalid_request"),
    ],
)
async def test_there_is_no_other_grant(web: Asking, grant_type: str, error: str) -> None:
    """RFC 9700 section 2.4."""
    refused(await web.token(grant_type, username="alice", password="correct horse"), 400, error)


async def test_the_passwords_grant_does_not_exist_for_our_own_client_either(web: Asking) -> None:
    form = {"grant_type": "password", "client_id": "mapae", "username": "alice", "password": "x"}
    refused(await web.server.http.post("/oauth/token", data=form), 400, "unsupported_grant_type")


async def test_who_the_client_is_cannot_be_learnt_by_guessing(web: Asking) -> None:
    """RFC 6749 section 5.2, WSTG-IDNT-04: unknown client, wrong secret, wrong method are one answer."""
    form = {"grant_type": "client_credentials"}
    http = web.server.http
    answers = [
        await http.post("/oauth/token", data=form, headers=basic("web", "wrong")),
        await http.post("/oauth/token", data=form, headers=basic("nobody", "wrong")),
        await http.post("/oauth/token", data=form, headers=basic("other", SECRET)),
        await http.post("/oauth/token", data={**form, "client_id": "web", "client_secret": SECRET}),
        await http.post("/oauth/token", data={**form, "client_id": "nobody"}),
        await http.post("/oauth/token", data={**form, "client_id": "web"}),
    ]
    for answer in answers:
        refused(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    assert len({answer.content for answer in answers}) == 1


async def test_two_ways_to_authenticate_are_one_too_many(web: Asking) -> None:
    """RFC 6749 section 2.3."""
    form = {"grant_type": "client_credentials", "client_id": "web", "client_secret": SECRET}
    answer = await web.server.http.post("/oauth/token", data=form, headers=basic("web"))
    refused(answer, 400, "invalid_request")


async def test_a_refresh_token_works_for_its_client_alone_and_only_with_proof(web: Asking) -> None:
    """RFC 6749 section 6, RFC 9700 section 2.2.2."""
    tokens = await web.tokens()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    http = web.server.http
    refused(await http.post("/oauth/token", data=form), 401, "invalid_client")
    refused(await http.post("/oauth/token", data={**form, "client_id": "web"}), 401, "invalid_client")
    for thief in ("spa", "mapae"):
        answer = await http.post("/oauth/token", data={**form, "client_id": thief})
        refused(answer, 400, "invalid_grant")
    first_party = await web.server.refresh(tokens["refresh_token"])
    assert first_party.json()["code"] == "invalid_refresh_token"
    assert (await web.refresh(tokens["refresh_token"])).status_code == 200


async def test_an_old_refresh_token_ends_the_family_and_the_user_stays_signed_in_elsewhere(
    web: Asking,
) -> None:
    """RFC 9700 section 4.14.2, as divergence 1 has it."""
    login = (await web.server.login()).json()
    tokens = [await web.tokens()]
    # Of no instance and no grace left: what is older than the previous token is a theft.
    async with web.server.database.unit() as unit:
        table = tables.families
        turned = table.update().where(table.c.client_id == "web").values(turn=2)
        await unit._connection.execute(turned)
        await unit.commit()
    answer = await web.refresh(tokens[0]["refresh_token"])
    refused(answer, 400, "invalid_grant")
    assert answer.json()["reason"] == "replayed"
    assert (await web.server.refresh(login["refresh_token"])).status_code == 200


async def test_after_a_password_change_a_grant_is_over(web: Asking) -> None:
    login = (await web.server.login()).json()
    tokens = await web.tokens()
    changed = await web.server.http.post(
        "/auth/password",
        json={"current_password": "correct horse battery staple", "new_password": "another staple, longer"},
        headers={**bearer(login["access_token"]), **INSTANCE},
    )
    assert changed.status_code == 204
    answer = await web.refresh(tokens["refresh_token"])
    refused(answer, 400, "invalid_grant")
    assert answer.json()["reason"] == "password_changed"


@pytest.mark.parametrize(
    "resources",
    [
        ["orders"],
        ["https://api.example.com#x"],
        ["https://nowhere.example.com"],
        ["https://api.example.com", "https://other.example.com"],
        [f"https://api{number}.example.com" for number in range(90)],
        ["javascript:alert(1)"],
        ["https://api.example.com/"],
    ],
    ids=["relative", "fragment", "unknown", "two", "ninety", "script", "with a slash"],
)
async def test_a_resource_is_one_that_is_there(web: Asking, resources: list[str]) -> None:
    """RFC 8707 section 2."""
    form: dict[str, Any] = {"grant_type": "client_credentials", "resource": resources}
    answer = await web.server.http.post("/oauth/token", data=form, headers=basic("web"))
    refused(answer, 400, "invalid_target")


@pytest.mark.parametrize(
    "scope", ["openid", "profile", "email", "phone", "address", "offline_access", "*", "admin"]
)
async def test_a_client_gets_no_scope_of_users_and_none_it_is_not_registered_for(
    web: Asking, scope: str
) -> None:
    """RFC 6749 section 4.4.3."""
    refused(await web.token("client_credentials", scope=f"orders:read {scope}"), 400, "invalid_scope")


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "https://app.example.com.evil.example", "*"]
)
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/userinfo", "/oauth/revoke", "/oauth/introspect"])
async def test_no_other_origin_reads_an_answer(web: Asking, origin: str, path: str) -> None:
    """RFC 9700 section 2.6, WSTG-CLNT-07."""
    http = web.server.http
    for answer in (
        await http.post(path, headers={"Origin": origin, "Cookie": "a=b"}),
        await http.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.status_code < 500


async def test_a_page_of_a_client_gets_no_credentials_through(web: Asking) -> None:
    answer = await web.server.http.post("/oauth/token", headers={"Origin": "https://app.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "access-control-allow-credentials" not in answer.headers


async def test_nothing_that_is_kept_of_a_code_can_be_used_as_one(web: Asking) -> None:
    """RFC 9700 section 2.5, RFC 6819 section 5.1.4.1: a stolen database."""
    code = await a_code(web.server, "web")
    async with web.server.database.reading() as unit:
        (row,) = (await unit._connection.execute(select(tables.codes))).all()
    assert code not in repr(row)
    for stolen in (row.digest.hex(), base64url.encode(row.digest)):
        refused(await web.redeem(stolen), 400, "invalid_grant")


async def test_what_a_client_sent_is_not_sent_back(web: Asking) -> None:
    answer = await web.token("<b>bold</b>", scope="<b>bold</b>", redirect_uri=CALLBACK)
    refused(answer, 400, "unsupported_grant_type")
    assert "bold" not in answer.text
