"""Introspection, revocation, userinfo, CORS and metadata, on both databases where the database has a say."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from mapae.oauth.claims_request import ClaimsRequest
from mapae.server.domain.sessions import EndReason
from mapae.server.store import tables
from tests.server.http.clients import Asking, a_code, a_session, add_clients
from tests.server.http.conftest import AUDIENCE, ISSUER, Server, bearer, serving

INACTIVE = {"active": False}


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[Asking]:
    async with serving(sqlite_url) as server:
        await add_clients(server)
        yield Asking(server, "web")


@pytest.fixture
async def on_both(server: Server) -> Asking:
    """The same on each database in turn."""
    await add_clients(server)
    return Asking(server, "web")


async def userinfo(server: Server, access_token: str) -> tuple[int, Any]:
    answer = await server.http.get("/oauth/userinfo", headers=bearer(access_token))
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


async def test_an_access_token_is_active_for_its_api_and_its_client_and_for_nobody_else(web: Asking) -> None:
    token = (await web.tokens())["access_token"]
    for client_id in ("web", "api"):
        told = await Asking(web.server, client_id).introspect(token)
        assert (told["active"], told["token_type"], told["client_id"]) == (True, "Bearer", "web")
        assert (told["aud"], told["iss"]) == (AUDIENCE, ISSUER)
        assert {"sub", "exp", "iat", "jti", "scope", "sid"} <= set(told)
    for client_id in ("other", "elsewhere"):
        assert await Asking(web.server, client_id).introspect(token) == INACTIVE


async def test_a_first_party_token_is_active_for_its_api(web: Asking) -> None:
    token = (await web.server.login()).json()["access_token"]
    assert (await Asking(web.server, "api").introspect(token))["client_id"] == "mapae"
    assert await Asking(web.server, "elsewhere").introspect(token) == INACTIVE


async def test_a_token_of_a_client_is_active_while_there_is_the_client(on_both: Asking) -> None:
    token = (await on_both.token("client_credentials")).json()["access_token"]
    api = Asking(on_both.server, "api")
    assert (await api.introspect(token))["sub"] == "web"
    await on_both.post("/oauth/revoke", token=token)
    assert await api.introspect(token) == INACTIVE


async def test_a_refresh_token_is_never_active(web: Asking) -> None:
    tokens = await web.tokens()
    answer = await web.post(
        "/oauth/introspect", token=tokens["refresh_token"], token_type_hint="refresh_token"
    )
    assert answer.json() == INACTIVE


@pytest.mark.parametrize("over", ["session", "user", "family", "token", "expired session"])
async def test_what_has_ended_is_inactive_at_once_and_opens_no_userinfo(on_both: Asking, over: str) -> None:
    session = await a_session(on_both.server)
    tokens = await on_both.tokens(session=session)
    assert (await on_both.introspect(tokens["access_token"]))["active"] is True
    async with on_both.server.database.unit() as unit:
        connection = unit._connection
        match over:
            case "session":
                now = await unit.now()
                await unit.sessions.end(
                    session.id, user_id=session.user_id, reason=EndReason.LOGGED_OUT, now=now
                )
            case "expired session":
                await connection.execute(update(tables.sessions).values(expires_at=1))
            case "user":
                await connection.execute(update(tables.users).values(disabled_at=1))
        await unit.commit()
    if over in ("family", "token"):
        which = "refresh_token" if over == "family" else "access_token"
        assert (await on_both.post("/oauth/revoke", token=tokens[which])).status_code == 200
    assert await on_both.introspect(tokens["access_token"]) == INACTIVE
    assert (await userinfo(on_both.server, tokens["access_token"]))[0] == 401


async def test_what_is_granted_again_does_not_bring_back_what_was_issued_before(on_both: Asking) -> None:
    session = await a_session(on_both.server)
    before = await on_both.tokens(session=session)
    await on_both.post("/oauth/revoke", token=before["refresh_token"])
    async with on_both.server.database.unit() as unit:
        # As if it had been a while ago, but after the token was issued.
        earlier = tables.families.c.ended_at - 1
        await unit._connection.execute(update(tables.families).values(ended_at=earlier))
        await unit.commit()
    again = await on_both.tokens(session=session)
    assert (await on_both.introspect(again["access_token"]))["active"] is True


async def test_a_revoked_refresh_token_ends_its_family_and_not_the_session(web: Asking) -> None:
    session = await a_session(web.server)
    tokens = await web.tokens(session=session)
    others = (await Asking(web.server, "spa").redeem(await a_code(web.server, "spa", session=session))).json()
    answer = await web.post("/oauth/revoke", token=tokens["refresh_token"], token_type_hint="access_token")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await web.refresh(tokens["refresh_token"])).json()["reason"] == "logged_out"
    assert (await Asking(web.server, "spa").refresh(others["refresh_token"])).status_code == 200


async def test_revoking_again_or_what_is_unknown_is_no_error(web: Asking) -> None:
    tokens = await web.tokens()
    for token in (*[tokens["refresh_token"]] * 2, *[tokens["access_token"]] * 2, "unknown", "mpr_unknown"):
        assert (await web.post("/oauth/revoke", token=token)).status_code == 200


async def test_userinfo_tells_the_claims_of_the_scopes(on_both: Asking) -> None:
    session = await a_session(on_both.server)
    async with on_both.server.database.unit() as unit:
        known = {"claims": {"name": "Alice Example"}, "email": "alice@example.com", "email_verified": True}
        await unit._connection.execute(update(tables.users).values(known))
        await unit.commit()
    tokens = await on_both.tokens(session=session, scope="openid email", audience=ISSUER)
    assert await userinfo(on_both.server, tokens["access_token"]) == (
        200,
        {"sub": session.user_id, "email": "alice@example.com", "email_verified": True},
    )
    asked = ClaimsRequest(userinfo=("name",))
    tokens = await on_both.tokens(session=session, scope="openid", claims=asked)
    assert await userinfo(on_both.server, tokens["access_token"]) == (
        200,
        {"sub": session.user_id, "name": "Alice Example"},
    )


async def test_userinfo_takes_the_token_in_the_header_or_in_the_form(web: Asking) -> None:
    token = (await web.tokens())["access_token"]
    http = web.server.http
    by_header = await http.post("/oauth/userinfo", headers=bearer(token))
    by_form = await http.post("/oauth/userinfo", data={"access_token": token})
    assert by_header.status_code == by_form.status_code == 200
    assert by_header.json() == by_form.json()
    both = await http.post("/oauth/userinfo", data={"access_token": token}, headers=bearer(token))
    assert both.status_code == 400
    assert 'error="invalid_request"' in both.headers["www-authenticate"]


async def test_userinfo_asks_for_a_token_and_for_openid(web: Asking) -> None:
    missing = await web.server.http.get("/oauth/userinfo")
    assert missing.status_code == 401
    assert "error" not in missing.headers["www-authenticate"]
    for token in (
        (await web.tokens(scope="orders:read"))["access_token"],
        (await web.token("client_credentials")).json()["access_token"],
    ):
        refused = await web.server.http.get("/oauth/userinfo", headers=bearer(token))
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert 'scope="openid"' in refused.headers["www-authenticate"]


@pytest.mark.parametrize("method", ["GET /auth/sessions", "POST /auth/logout", "POST /auth/password"])
async def test_the_token_of_another_client_rules_no_session(web: Asking, method: str) -> None:
    tokens = await web.tokens()
    verb, _, path = method.partition(" ")
    answer = await web.server.http.request(verb, path, headers=bearer(tokens["access_token"]))
    assert (answer.status_code, answer.json()["code"]) == (403, "first_party_only")
    me = await web.server.http.get("/auth/me", headers=bearer(tokens["access_token"]))
    assert me.json()["client_id"] == "web"
    assert (await web.refresh(tokens["refresh_token"])).status_code == 200


async def test_pages_of_public_clients_may_ask_and_no_others(web: Asking) -> None:
    http = web.server.http
    page = {"Origin": "https://app.example.com"}
    for path, methods in (("/oauth/token", "POST"), ("/oauth/userinfo", "GET, POST")):
        asked = await http.options(path, headers={**page, "Access-Control-Request-Method": "POST"})
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == page["Origin"]
        assert asked.headers["access-control-allow-methods"] == methods
    refused = await http.post("/oauth/token", headers=page)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, page["Origin"])
    assert refused.headers["vary"] == "Origin"


async def test_the_metadata_names_endpoints_that_are_there(web: Asking) -> None:
    http = web.server.http
    openid = (await http.get("/.well-known/openid-configuration")).json()
    assert openid == (await http.get("/.well-known/oauth-authorization-server")).json()
    assert openid["issuer"] == ISSUER
    for name in ("token", "introspection", "revocation", "userinfo"):
        answer = await http.post(openid[f"{name}_endpoint"].removeprefix(ISSUER))
        assert answer.status_code in (400, 401), name
    # OpenID Connect Discovery section 3, RFC 8414 section 2, RFC 9207 section 3.
    assert openid["code_challenge_methods_supported"] == ["S256"]
    assert {"RS256", "ES256"} <= set(openid["id_token_signing_alg_values_supported"])
    assert openid["request_uri_parameter_supported"] is False
    assert openid["authorization_response_iss_parameter_supported"] is True
