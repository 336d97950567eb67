"""The whole application in the test's own loop, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.types import ASGIApp

from mapae.entropy import system_entropy
from mapae.server.actions.administer_users import AdministerUsers
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.app import build
from mapae.server.domain.ids import new_id
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.users import User
from mapae.server.settings import load_settings
from mapae.server.store.engine import Database, open_database

ISSUER = "https://auth.example.com"
AUDIENCE = "https://api.example.com"
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
PASSWORD = "correct horse battery staple"
#: Settings with hashes that cost little.
ENVIRON = {
    "MAPAE_ISSUER": ISSUER,
    "MAPAE_SECRET_KEY": SECRET_KEY,
    "MAPAE_ARGON2_MEMORY_KIB": "7168",
    "MAPAE_ARGON2_TIME_COST": "5",
}
INSTANCE = {"Mapae-Instance": "an-installation-of-the-client"}


@dataclass
class Server:
    """The application, a way to call it, and its database from behind."""

    app: ASGIApp
    http: httpx.AsyncClient
    database: Database
    users: AdministerUsers
    statements: list[str] = field(default_factory=list)

    async def login(self, username: str = "alice", password: str = PASSWORD, **more: Any) -> httpx.Response:
        headers = more.pop("headers", INSTANCE)
        body = {"username": username, "password": password, **more}
        return await self.http.post("/auth/login", json=body, headers=headers)

    async def refresh(
        self, refresh_token: str, headers: Mapping[str, str] = INSTANCE, **more: str
    ) -> httpx.Response:
        body = {"refresh_token": refresh_token}
        return await self.http.post("/auth/refresh", json=body, headers={**headers, **more})

    async def logout(self, refresh_token: str, scope: str, headers: Mapping[str, str]) -> httpx.Response:
        body = {"refresh_token": refresh_token, "scope": scope}
        return await self.http.post("/auth/logout", json=body, headers=headers)


def bearer(tokens: httpx.Response | str) -> dict[str, str]:
    """The header that carries an access token."""
    token = tokens if isinstance(tokens, str) else tokens.json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """An application between its start-up and its shut-down (ASGI lifespan)."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[Any] = asyncio.Queue()

    async def live() -> None:
        try:
            await app({"type": "lifespan"}, incoming.get, outgoing.put)
        finally:
            await outgoing.put({"type": "gone"})

    task = asyncio.create_task(live())
    await incoming.put({"type": "lifespan.startup"})
    if (began := await outgoing.get())["type"] != "lifespan.startup.complete":
        await task  # says why
        raise AssertionError(began)
    try:
        yield
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        assert (await outgoing.get())["type"] == "lifespan.shutdown.complete"
        await task


@cache
def _password_hash() -> str:
    return PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1).hash(PASSWORD)


@asynccontextmanager
async def serving(database_url: str, **settings: str) -> AsyncIterator[Server]:
    """The application on this database, with hashes that cost little, and two users."""
    app = build(load_settings(ENVIRON | {"MAPAE_DATABASE_URL": database_url} | settings))
    database = open_database(database_url)
    hasher = Argon2Hasher(memory_kib=7168, time_cost=5, parallelism=1, threads=1, queue=10)
    users = AdministerUsers(database, hasher, system_entropy)
    async with database.unit() as unit:
        now = await unit.now()
        for name, roles in (("alice", ("member",)), ("bob", ())):
            await unit.users.add(User(new_id(system_entropy), name, name, _password_hash(), roles, now))
        await unit.resource_servers.add(ResourceServer(AUDIENCE, ("orders:read", "orders:write")))
        await unit.commit()
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4711))
    async with running(app), httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield Server(app, http, database, users)
    hasher.close()
    await database.close()


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[Server]:
    async with serving(database_url) as made:
        yield made
