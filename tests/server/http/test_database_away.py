"""PostgreSQL stops at once and comes back: callers are told when to try again, and nothing is lost."""

import asyncio

import httpx

from mapae.server.app import build
from mapae.server.settings import load_settings
from mapae.server.store.engine import open_database
from mapae.server.store.migrations import upgrade
from tests.postgres import throw_away_cluster
from tests.server.http.conftest import ENVIRON, ISSUER, bearer, running, serving


async def migrated(url: str) -> None:
    database = open_database(url)
    await upgrade(database)
    await database.close()


async def test_a_database_that_is_away_is_503_and_what_was_answered_holds() -> None:
    with throw_away_cluster() as cluster:
        await migrated(cluster.url())
        async with serving(cluster.url()) as server:
            tokens = (await server.login()).json()
            await server.http.get("/auth/me", headers=bearer(tokens["access_token"]))
            cluster.stop()
            for answer in (await server.login(), await server.refresh(tokens["refresh_token"])):
                assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
                assert answer.headers["retry-after"] == "1"
            assert (await server.http.get("/health/ready")).status_code == 503
            assert (await server.http.get("/health/live")).status_code == 200
            assert (
                await server.http.get("/auth/me", headers=bearer(tokens["access_token"]))
            ).status_code == 200
            cluster.start()
            assert (await server.refresh(tokens["refresh_token"])).status_code == 200
            assert (await server.login()).status_code == 200
            assert (await server.http.get("/health/ready")).status_code == 200


async def test_a_database_that_restarted_between_two_requests_is_not_noticed_by_a_refresh() -> None:
    with throw_away_cluster() as cluster:
        await migrated(cluster.url())
        async with serving(cluster.url()) as server:
            token = (await server.login()).json()["refresh_token"]
            cluster.restart()
            assert (await server.refresh(token)).status_code == 200


async def test_a_process_that_starts_while_the_database_is_away_opens_when_it_is_back() -> None:
    with throw_away_cluster() as cluster:
        await migrated(cluster.url())
        app = build(load_settings(ENVIRON | {"MAPAE_DATABASE_URL": cluster.url()}))
        cluster.stop()
        transport = httpx.ASGITransport(app)
        async with running(app), httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
            assert (await http.get("/health/live")).status_code == 200
            for path in ("/health/ready", "/auth/me", "/.well-known/jwks.json"):
                answer = await http.get(path)
                assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
                assert answer.headers["retry-after"] == "1"
            cluster.start()
            while (await http.get("/health/ready")).status_code != 200:
                await asyncio.sleep(0.05)
            assert (await http.get("/auth/me")).status_code == 401
