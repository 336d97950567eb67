"""The key set over HTTP: who may keep it how long, and that it, the verifier and the tokens follow the ring."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from mapae.jose import base64url, jws
from mapae.server.app import build, rotation_of
from mapae.server.domain.keys import REFRESH_ALGORITHM
from mapae.server.settings import Settings, load_settings
from mapae.server.store.engine import open_database
from tests.server.http.conftest import INSTANCE, ISSUER, SECRET_KEY, Server, bearer, running, serving

JWKS = "/.well-known/jwks.json"


async def key_set(server: Server) -> httpx.Response:
    answer = await server.http.get(JWKS)
    assert answer.status_code == 200
    return answer


def kids(answer: httpx.Response) -> set[str]:
    return {key["kid"] for key in answer.json()["keys"]}


def kid_of(tokens: httpx.Response) -> Any:
    return jws.split(tokens.json()["access_token"]).header["kid"]


async def test_anyone_may_keep_the_key_set_for_its_life(server: Server) -> None:
    answer = await key_set(server)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    etag = answer.headers["ETag"]
    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        again = await server.http.get(JWKS, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["Cache-Control"] == "public, max-age=300"
    other = await server.http.get(JWKS, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


async def test_the_key_set_the_verifier_and_the_tokens_follow_the_ring(database_url: str) -> None:
    async with serving(database_url, MAPAE_JWKS_LIFE="1", MAPAE_KEY_MARGIN="5") as server:
        before, tokens = await key_set(server), await server.login()
        rotation = rotation_of(
            load_settings({"MAPAE_ISSUER": ISSUER, "MAPAE_SECRET_KEY": SECRET_KEY}), server.database
        )
        changed = await rotation.rotate(["ES256", REFRESH_ALGORITHM], at_once=True)
        (new,) = {key.kid for key in changed if key.public and key.signs_until is None}

        after = await until(lambda: key_set(server), lambda answer: new in kids(answer))
        assert kids(after) == {*kids(before), new}
        assert after.headers["ETag"] != before.headers["ETag"]
        signed = await until(server.login, lambda answer: kid_of(answer) == new)
        for answer in (tokens, signed):
            assert (await server.http.get("/auth/me", headers=bearer(answer))).status_code == 200

        refreshed = await server.refresh(tokens.json()["refresh_token"])
        assert refreshed.status_code == 200
        assert refreshed.json()["session_id"] == tokens.json()["session_id"]

        await rotation.revoke(new)
        await until(lambda: key_set(server), lambda answer: new not in kids(answer))
        assert (await server.http.get("/auth/me", headers=bearer(signed))).status_code == 401
        again = await server.refresh(refreshed.json()["refresh_token"])
        assert (await server.http.get("/auth/me", headers=bearer(again))).status_code == 200


async def test_a_revoked_key_of_refresh_tokens_ends_them_with_key_lost(server: Server) -> None:
    tokens = (await server.login()).json()
    rotation = rotation_of(
        load_settings({"MAPAE_ISSUER": ISSUER, "MAPAE_SECRET_KEY": SECRET_KEY}), server.database
    )
    (refresh,) = (key for key in (await rotation.read()).keys if key.algorithm == REFRESH_ALGORITHM)
    await rotation.revoke(refresh.kid)
    answer = await until(
        lambda: server.refresh(tokens["refresh_token"]), lambda answer: answer.status_code == 401
    )
    assert answer.json()["reason"] == "key_lost"
    assert (await server.refresh((await server.login()).json()["refresh_token"])).status_code == 200


async def test_the_secret_key_is_exchanged_and_everyone_stays_signed_in(database_url: str) -> None:
    new = base64url.encode(b"n" * 32)
    async with serving(database_url) as server:
        tokens = (await server.login()).json()
    async with restarted(database_url, MAPAE_SECRET_KEY=new, MAPAE_SECRET_KEY_OLD=SECRET_KEY) as (
        http,
        settings,
    ):
        tokens = await goes_on(http, tokens)
        database = open_database(database_url)
        assert len(await rotation_of(settings, database).reseal()) == 2
        await database.close()
        tokens = await goes_on(http, tokens)
    async with restarted(database_url, MAPAE_SECRET_KEY=new) as (http, _):
        await goes_on(http, tokens)


@asynccontextmanager
async def restarted(database_url: str, **settings: str) -> AsyncIterator[tuple[httpx.AsyncClient, Settings]]:
    """The application with other settings, on a database that has its users."""
    loaded = load_settings({"MAPAE_ISSUER": ISSUER, "MAPAE_DATABASE_URL": database_url, **settings})
    app = build(loaded)
    async with running(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as http:
        yield http, loaded


async def goes_on(http: httpx.AsyncClient, tokens: Any) -> Any:
    """The session that these tokens are of, after a refresh; its access token of before is believed, too."""
    assert (await http.get("/auth/me", headers=bearer(tokens["access_token"]))).status_code == 200
    body = {"refresh_token": tokens["refresh_token"]}
    answer = await http.post("/auth/refresh", json=body, headers=INSTANCE)
    assert answer.status_code == 200
    assert answer.json()["session_id"] == tokens["session_id"]
    return answer.json()


async def until(ask: Any, good: Any) -> httpx.Response:
    """The first good answer; the ring looks every two seconds."""
    async with asyncio.timeout(20):
        while True:
            answer: httpx.Response = await ask()
            if good(answer):
                return answer
            await asyncio.sleep(0.05)
