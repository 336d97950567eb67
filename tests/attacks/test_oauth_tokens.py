"""Attacks on introspection, revocation, userinfo and metadata (RFC 7009, RFC 7662, RFC 8414)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from mapae.jose import base64url
from mapae.server.store import tables
from tests.server.http.clients import Asking, add_clients, basic
from tests.server.http.conftest import ISSUER, bearer, serving

INACTIVE = {"active": False}
NEIGHBOURS = ["/oauth/introspect", "/oauth/revoke"]


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[Asking]:
    async with serving(sqlite_url) as server:
        await add_clients(server)
        yield Asking(server, "web")


@pytest.mark.parametrize("path", NEIGHBOURS)
async def test_nobody_asks_without_saying_who_they_are(web: Asking, path: str) -> None:
    """RFC 7662 section 2.1, RFC 7009 section 2.1."""
    token = (await web.tokens())["access_token"]
    http = web.server.http
    for headers, form in (
        ({}, {}),
        ({}, {"client_id": "web"}),
        (basic("web", "wrong"), {}),
        (bearer(token), {}),
    ):
        answer = await http.post(path, data={"token": token, **form}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await web.introspect(token))["active"] is True


async def test_a_public_client_cannot_try_tokens(web: Asking) -> None:
    """RFC 7662 section 4: token scanning."""
    spa = Asking(web.server, "spa")
    token = (await spa.tokens())["access_token"]
    answer = await spa.post("/oauth/introspect", token=token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_of_what_is_no_live_token_nothing_is_said(web: Asking) -> None:
    """RFC 7662 section 2.2."""
    tokens = await web.tokens()
    access_token: str = tokens["access_token"]
    head, body, signature = access_token.split(".")
    none = base64url.encode(b'{"alg":"none","typ":"at+jwt"}')
    for token in (
        tokens["refresh_token"],
        tokens["id_token"],
        f"{none}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{access_token}.",
        access_token + "=",
        "a" * 1_000_000,
        "\x01\u00e9",
        "null",
        "..",
        "[" * 8000,
    ):
        answer = await web.post("/oauth/introspect", token=token, token_type_hint="access_token")
        assert (answer.status_code, answer.json()) == (200, INACTIVE), token[:40]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("thief", ["other", "spa", "once"])
async def test_no_client_revokes_what_is_anothers(web: Asking, kind: str, thief: str) -> None:
    """RFC 7009 section 2.1."""
    tokens = await web.tokens()
    answer = await Asking(web.server, thief).post("/oauth/revoke", token=tokens[kind])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await web.introspect(tokens["access_token"]))["active"] is True
    assert (await web.refresh(tokens["refresh_token"])).status_code == 200


async def test_what_is_no_token_is_revoked_without_an_error_whatever_the_hint(web: Asking) -> None:
    """RFC 7009 sections 2.1 and 2.2."""
    tokens = await web.tokens()
    for token, hint in (
        ("garbage", "refresh_token"),
        ("mpr_" + "A" * 64, "access_token"),
        ("\u00e9", "nonsense"),
        (tokens["id_token"], "access_token"),
        (tokens["access_token"], "refresh_token"),
        (tokens["access_token"], "access_token"),
    ):
        answer = await web.post("/oauth/revoke", token=token, token_type_hint=hint)
        assert (answer.status_code, answer.content) == (200, b""), hint
    assert await web.introspect(tokens["access_token"]) == INACTIVE


async def test_an_old_refresh_token_that_leaked_ends_nothing(web: Asking) -> None:
    tokens = await web.tokens()
    later = (await web.refresh(tokens["refresh_token"])).json()
    async with web.server.database.unit() as unit:
        await unit._connection.execute(update(tables.families).values(turn=5))
        await unit.commit()
    assert (await web.post("/oauth/revoke", token=tokens["refresh_token"])).status_code == 200
    assert (await web.introspect(later["access_token"]))["active"] is True


async def test_an_id_token_opens_nothing(web: Asking) -> None:
    """RFC 8725 section 3.12."""
    id_token = (await web.tokens())["id_token"]
    for path in ("/oauth/userinfo", "/auth/me"):
        assert (await web.server.http.get(path, headers=bearer(id_token))).status_code == 401


async def test_a_token_in_the_address_of_userinfo_is_no_token(web: Asking) -> None:
    """RFC 9700 section 4.3.2."""
    token = (await web.tokens())["access_token"]
    http = web.server.http
    for answer in (
        await http.get("/oauth/userinfo", params={"access_token": token}),
        await http.post("/oauth/userinfo", params={"access_token": token}),
    ):
        assert answer.status_code == 401
    both = await http.get("/oauth/userinfo", params={"access_token": token}, headers=bearer(token))
    assert both.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/tenant/.well-known/openid-configuration",
        "/.well-known/openid-configuration/tenant",
        "//.well-known/openid-configuration",
        "/.well-known/%2e%2e/.well-known/openid-configuration",
        "/.well-known/openid-configuration/",
    ],
)
async def test_there_is_metadata_of_this_issuer_alone(web: Asking, path: str) -> None:
    """RFC 8414 section 3."""
    answer = await web.server.http.get(ISSUER + path, headers={"Host": "evil.example"})
    assert answer.status_code == 404


async def test_the_key_set_has_public_keys_that_are_live_and_nothing_else(web: Asking) -> None:
    """RFC 7517 section 9.2."""
    await Asking(web.server, "once").tokens()
    keys: list[dict[str, Any]] = (await web.server.http.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    for key in keys:
        assert key["kty"] in ("EC", "RSA")
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & set(key)
