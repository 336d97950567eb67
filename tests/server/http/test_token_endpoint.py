"""`/oauth/token`: codes, refresh tokens and client credentials for tokens, on both databases."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from mapae.jose import jws, strict_json
from mapae.jose.jwks import JwkSet
from mapae.oauth.claims_request import ClaimsRequest
from mapae.oauth.id_token import access_token_hash
from mapae.server.domain.sessions import EndReason
from mapae.server.store import tables
from mapae.verifier import Verifier
from tests.server.http.clients import (
    OTHER_AUDIENCE,
    Asking,
    a_code,
    a_session,
    add_clients,
)
from tests.server.http.conftest import AUDIENCE, INSTANCE, ISSUER, Server, bearer

ELSEWHERE = {"Mapae-Instance": "another-installation-of-it"}


@pytest.fixture
async def web(server: Server) -> Asking:
    await add_clients(server)
    return Asking(server, "web")


async def claims_of(server: Server, access_token: str, audience: str = AUDIENCE) -> dict[str, Any]:
    """What an access token says, found good by an API."""
    keys = JwkSet.parse((await server.http.get("/.well-known/jwks.json")).json())
    return dict(Verifier(issuer=ISSUER, audience=audience, keys=keys).verify(access_token).claims)


async def id_claims_of(server: Server, id_token: str) -> tuple[str, dict[str, Any]]:
    """Algorithm and claims of an ID token whose signature is right."""
    keys = JwkSet.parse((await server.http.get("/.well-known/jwks.json")).json())
    parts = jws.split(id_token)
    algorithm = parts.header["alg"]
    jws.verify(parts, keys.key_for(parts.header, [algorithm]), [algorithm])
    return algorithm, strict_json.parse_object(parts.payload)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


async def test_a_code_buys_an_access_token_a_refresh_token_and_an_id_token(web: Asking) -> None:
    session = await a_session(web.server)
    answer = await web.redeem(await a_code(web.server, "web", session=session))
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    assert (tokens["scope"], tokens["session_id"]) == ("openid email orders:read", session.id)
    claims = await claims_of(web.server, tokens["access_token"])
    assert (claims["sub"], claims["sid"], claims["client_id"]) == (session.user_id, session.id, "web")
    assert (claims["aud"], claims["scope"]) == (AUDIENCE, tokens["scope"])
    assert (claims["auth_time"], claims["roles"]) == (session.authenticated_at, ("member",))


async def test_the_id_token_says_who_signed_in_when_and_for_whom(web: Asking) -> None:
    session = await a_session(web.server)
    tokens = await web.tokens(session=session)
    algorithm, claims = await id_claims_of(web.server, tokens["id_token"])
    assert algorithm == "ES256"
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, "web", session.user_id)
    assert (claims["nonce"], claims["sid"]) == ("a nonce", session.id)
    assert (claims["auth_time"], claims["acr"], claims["amr"]) == (session.authenticated_at, "1", ["pwd"])
    assert claims["at_hash"] == access_token_hash(tokens["access_token"], algorithm)
    assert "email" not in claims, "scopes ask the userinfo endpoint"


async def test_claims_that_were_asked_for_stand_in_the_id_token_also_after_a_refresh(web: Asking) -> None:
    asked = ClaimsRequest(id_token=("preferred_username",))
    tokens = await web.tokens(claims=asked)
    again = (await web.refresh(tokens["refresh_token"])).json()
    for id_token in (tokens["id_token"], again["id_token"]):
        _, claims = await id_claims_of(web.server, id_token)
        assert claims["preferred_username"] == "alice"


async def test_a_client_gets_id_tokens_of_its_algorithm_and_a_refresh_token_only_if_it_may_use_one(
    web: Asking,
) -> None:
    tokens = await Asking(web.server, "once").tokens()
    algorithm, _ = await id_claims_of(web.server, tokens["id_token"])
    assert algorithm == "RS256"
    assert "refresh_token" not in tokens


async def test_without_openid_there_is_no_id_token(web: Asking) -> None:
    assert "id_token" not in await web.tokens(scope="orders:read")


async def test_a_client_of_a_sector_knows_the_user_by_that_sectors_subject(web: Asking) -> None:
    tokens = await web.tokens(subject="pairwise-subject")
    again = (await web.refresh(tokens["refresh_token"])).json()
    for answer in (tokens, again):
        _, id_claims = await id_claims_of(web.server, answer["id_token"])
        access = await claims_of(web.server, answer["access_token"])
        assert (id_claims["sub"], access["sub"]) == ("pairwise-subject", "pairwise-subject")
    userinfo = await web.server.http.get("/oauth/userinfo", headers=bearer(tokens["access_token"]))
    assert userinfo.json()["sub"] == "pairwise-subject"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": ""},
        {"code_verifier": "a-verifier-of-another-request-0123456789-abcd"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://app.example.com/callback?"},
    ],
    ids=["no verifier", "another verifier", "no URI", "another URI"],
)
async def test_a_request_that_does_not_fit_the_code_gets_nothing_and_spends_nothing(
    web: Asking, wrong: dict[str, str]
) -> None:
    code = await a_code(web.server, "web")
    assert error_of(await web.redeem(code, None, **wrong)) == (400, "invalid_grant")
    assert (await web.redeem(code)).status_code == 200


async def test_a_code_that_nobody_was_given_buys_nothing(web: Asking) -> None:
    assert error_of(await web.redeem("another")) == (400, "invalid_grant")


async def test_the_code_of_another_client_is_worth_nothing_and_stays(web: Asking) -> None:
    code = await a_code(web.server, "web")
    assert error_of(await Asking(web.server, "spa").redeem(code)) == (400, "invalid_grant")
    assert (await web.redeem(code)).status_code == 200


async def test_a_code_is_good_for_its_resource_alone(web: Asking) -> None:
    code = await a_code(web.server, "web")
    assert error_of(await web.redeem(code, resource=OTHER_AUDIENCE)) == (400, "invalid_target")
    assert (await web.redeem(code, resource=AUDIENCE)).status_code == 200


async def test_codes_that_are_presented_at_once_are_decided_each_by_itself(web: Asking) -> None:
    codes = [await a_code(web.server, "web") for _ in range(4)]
    asked = [*codes, "unknown", codes[0], await a_code(web.server, "spa")]
    assert (await web.redeem("nothing")).status_code == 400  # by now the client's secret is known here
    answers = await asyncio.gather(*map(web.redeem, asked))
    assert [answer.status_code for answer in answers] == [200] * 4 + [400] * 3
    kept = [await web.introspect(answer.json()["access_token"]) for answer in answers[:4]]
    assert [told["active"] for told in kept] == [False, True, True, True], "the one that was used twice"


async def test_an_expired_code_buys_nothing(web: Asking) -> None:
    code = await a_code(web.server, "web", life_s=0)
    assert error_of(await web.redeem(code)) == (400, "invalid_grant")


@pytest.mark.parametrize("over", ["logged out", "disabled"])
async def test_a_code_of_a_session_or_user_that_is_over_buys_nothing(web: Asking, over: str) -> None:
    session = await a_session(web.server)
    code = await a_code(web.server, "web", session=session)
    async with web.server.database.unit() as unit:
        if over == "disabled":
            table = tables.users
            await unit._connection.execute(update(table).values(disabled_at=1))
        else:
            await unit.sessions.end(
                session.id, user_id=session.user_id, reason=EndReason.LOGGED_OUT, now=await unit.now()
            )
        await unit.commit()
    assert error_of(await web.redeem(code)) == (400, "invalid_grant")


async def test_a_second_use_of_a_code_ends_what_the_first_one_got(web: Asking) -> None:
    code = await a_code(web.server, "web")
    tokens = (await web.redeem(code)).json()
    assert error_of(await web.redeem(code)) == (400, "invalid_grant")
    refused = await web.refresh(tokens["refresh_token"])
    assert error_of(refused) == (400, "invalid_grant")
    assert refused.json()["reason"] == "replayed"
    assert (await web.introspect(tokens["access_token"])) == {"active": False}
    userinfo = await web.server.http.get("/oauth/userinfo", headers=bearer(tokens["access_token"]))
    assert userinfo.status_code == 401
    async with web.server.database.reading() as unit:
        names = list(await unit._connection.scalars(select(tables.events.c.name)))
    assert names.count("code_replay") == 1


async def test_a_refresh_buys_the_next_pair_and_an_id_token_without_nonce(web: Asking) -> None:
    session = await a_session(web.server)
    tokens = await web.tokens(session=session)
    again = (await web.refresh(tokens["refresh_token"])).json()
    assert again["refresh_token"] != tokens["refresh_token"]
    _, claims = await id_claims_of(web.server, again["id_token"])
    assert (claims["sub"], claims["sid"]) == (session.user_id, session.id)
    assert claims["auth_time"] == session.authenticated_at
    assert "nonce" not in claims


async def test_a_refresh_may_ask_for_less_and_never_for_more(web: Asking) -> None:
    tokens = await web.tokens()
    less = (await web.refresh(tokens["refresh_token"], scope="orders:read")).json()
    assert less["scope"] == "orders:read"
    assert (await claims_of(web.server, less["access_token"]))["scope"] == "orders:read"
    more = await web.refresh(less["refresh_token"], scope="orders:read orders:write")
    assert error_of(more) == (400, "invalid_scope")
    all_of_it = (await web.refresh(less["refresh_token"])).json()
    assert all_of_it["scope"] == "openid email orders:read", "what was not asked for once is not lost"


async def test_a_refresh_for_another_resource_is_refused_and_spends_nothing(web: Asking) -> None:
    tokens = await web.tokens()
    refused = await web.refresh(tokens["refresh_token"], resource=OTHER_AUDIENCE)
    assert error_of(refused) == (400, "invalid_target")
    assert (await web.refresh(tokens["refresh_token"], resource=AUDIENCE)).status_code == 200


async def test_a_confidential_client_may_refresh_from_anywhere(web: Asking) -> None:
    tokens = await web.tokens()
    assert (await web.refresh(tokens["refresh_token"], INSTANCE)).status_code == 200
    assert (await web.refresh(tokens["refresh_token"], ELSEWHERE)).status_code == 200


async def test_a_public_client_that_names_its_installation_is_bound_to_it(web: Asking) -> None:
    spa = Asking(web.server, "spa")
    tokens = (await spa.redeem(await a_code(web.server, "spa"), INSTANCE)).json()
    assert (await spa.refresh(tokens["refresh_token"], INSTANCE)).status_code == 200
    stolen = await spa.refresh(tokens["refresh_token"], ELSEWHERE)
    assert (error_of(stolen), stolen.json()["reason"]) == ((400, "invalid_grant"), "replayed")


async def test_the_refresh_token_of_another_client_is_worth_nothing_and_stays(web: Asking) -> None:
    tokens = await web.tokens()
    assert error_of(await Asking(web.server, "other").refresh(tokens["refresh_token"])) == (
        400,
        "invalid_grant",
    )
    assert (await web.refresh(tokens["refresh_token"])).status_code == 200


async def test_when_the_session_ends_the_client_is_told_why(web: Asking) -> None:
    session = await a_session(web.server)
    tokens = await web.tokens(session=session)
    async with web.server.database.unit() as unit:
        now = await unit.now()
        await unit.sessions.end(
            session.id, user_id=session.user_id, reason=EndReason.PASSWORD_CHANGED, now=now
        )
        await unit.commit()
    refused = await web.refresh(tokens["refresh_token"])
    assert error_of(refused) == (400, "invalid_grant")
    assert (refused.json()["reason"], refused.json()["ended_at"]) == ("password_changed", now)


async def test_a_family_that_was_begun_while_its_session_ended_is_over_too(web: Asking) -> None:
    session = await a_session(web.server)
    tokens = await web.tokens(session=session)
    async with web.server.database.unit() as unit:
        # As an ending of the session leaves it that looked for families a moment too early.
        await unit._connection.execute(update(tables.sessions).values(ended_at=1, ended_reason="logged_out"))
        await unit.commit()
    refused = await web.refresh(tokens["refresh_token"])
    assert (refused.json()["reason"], refused.json()["ended_at"]) == ("logged_out", 1)
    assert await web.introspect(tokens["access_token"]) == {"active": False}


async def test_a_first_party_refresh_token_is_good_at_both_doors(web: Asking) -> None:
    login = (await web.server.login()).json()
    form = {"grant_type": "refresh_token", "client_id": "mapae", "refresh_token": login["refresh_token"]}
    answer = await web.server.http.post("/oauth/token", data=form, headers=INSTANCE)
    assert answer.status_code == 200
    assert (await web.server.refresh(answer.json()["refresh_token"])).status_code == 200


async def test_a_client_gets_a_token_in_its_own_name(web: Asking) -> None:
    answer = await web.token("client_credentials", scope="orders:read")
    tokens = answer.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    claims = await claims_of(web.server, tokens["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("web", "web", "orders:read")
    assert "sid" not in claims


async def test_without_a_scope_a_client_gets_all_that_it_may_have_at_the_api(web: Asking) -> None:
    assert (await web.token("client_credentials")).json()["scope"] == "orders:read orders:write"
    named = await Asking(web.server, "api").token("client_credentials", resource=OTHER_AUDIENCE)
    assert named.json()["scope"] == "other:read"
    await claims_of(web.server, named.json()["access_token"], OTHER_AUDIENCE)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "offline_access orders:read"}, "invalid_scope"),
        ({"scope": "other:read"}, "invalid_scope"),
        ({"scope": "orders:read", "resource": OTHER_AUDIENCE}, "invalid_scope"),
        ({"resource": OTHER_AUDIENCE}, "invalid_target"),
        ({"resource": "https://nowhere.example.com"}, "invalid_target"),
        ({"resource": "orders"}, "invalid_target"),
        ({"resource": f"{AUDIENCE}#fragment"}, "invalid_target"),
    ],
    ids=repr,
)
async def test_a_client_gets_no_more_than_it_is_registered_for(
    web: Asking, asked: dict[str, str], code: str
) -> None:
    assert error_of(await web.token("client_credentials", None, **asked)) == (400, code)


async def test_a_client_uses_the_grants_it_is_registered_for(web: Asking) -> None:
    refused = await Asking(web.server, "spa").token("client_credentials")
    assert error_of(refused) == (400, "unauthorized_client")
    refused = await Asking(web.server, "api").redeem(await a_code(web.server, "api"))
    assert error_of(refused) == (400, "unauthorized_client")
