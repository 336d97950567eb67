"""Clients in the store, on both databases: kept, found, removed; an assertion is used once, however many try."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.scope import Scope
from mapae.server.domain.clients import Client
from mapae.server.domain.consents import Consent
from mapae.server.domain.sessions import EndReason
from mapae.server.store import tables
from mapae.server.store.clients import ClientIdTaken
from mapae.server.store.engine import Database, open_database
from tests.oauth.test_client_metadata import EVERYTHING, URI
from tests.server.store.test_store import ALICE, FAMILY, NOW, SESSION

WEB = Client("web", ClientMetadata.parse(EVERYTHING), None, NOW)
SPA = Client(
    "spa", ClientMetadata.parse({"redirect_uris": [URI], "token_endpoint_auth_method": "none"}), None, NOW
)
SHOP = Client("shop", ClientMetadata.parse({"redirect_uris": [URI]}), "$argon2id$…", NOW)
JTI = hashlib.sha256(b"one-use").digest()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    async with opened.unit() as unit:
        for client in (WEB, SPA, SHOP):
            await unit.clients.add(client)
        await unit.commit()
    yield opened
    await opened.close()


async def test_a_client_comes_back_as_it_was_kept(database: Database) -> None:
    async with database.reading() as unit:
        assert await unit.clients.find("web") == WEB
        assert await unit.clients.find("WEB") is None
        assert await unit.clients.all() == [SHOP, SPA, WEB]
        assert await unit.clients.public() == [SPA]
        assert await unit.clients.id_token_algorithms() == {"ES256", "RS256"}


async def test_a_change_is_kept(database: Database) -> None:
    changed = replace(SPA, metadata=replace(WEB.metadata, id_token_signed_response_alg="PS256"))
    async with database.unit() as unit:
        await unit.clients.save(changed)
        await unit.commit()
    async with database.reading() as unit:
        assert await unit.clients.find("spa") == changed
        assert await unit.clients.public() == []
        assert await unit.clients.id_token_algorithms() == {"ES256", "RS256", "PS256"}


async def test_an_id_is_one_clients(database: Database) -> None:
    async with database.unit() as unit:
        with pytest.raises(ClientIdTaken):
            await unit.clients.add(replace(SHOP, client_id="web"))


async def test_an_assertion_is_used_once_by_whoever_is_first(database: Database, database_url: str) -> None:
    other = open_database(database_url)

    async def use(where: Database, client_id: str) -> bool:
        async with where.unit() as unit:
            first = await unit.clients.use_assertion(client_id, JTI, NOW + 60)
            await unit.commit()
            return first

    used = await asyncio.gather(*(use(where, "web") for _ in range(8) for where in (database, other)))
    await other.close()
    assert sum(used) == 1
    assert await use(database, "shop"), "another client may name its assertion the same"


async def test_used_assertions_are_swept_once_they_have_expired(database: Database) -> None:
    async with database.unit() as unit:
        await unit.clients.use_assertion("web", JTI, NOW)
        assert await unit.jobs.sweep_assertions(over_before=NOW, most=10) == 0
        assert await unit.jobs.sweep_assertions(over_before=NOW + 1, most=10) == 1


async def test_removing_a_client_takes_what_it_was_granted(database: Database) -> None:
    async with database.unit() as unit:
        await unit.users.add(ALICE)
        await unit.sessions.add(SESSION)
        for name, client_id in (("web-family-1", "web"), ("web-family-2", "web"), ("spa-family-1", "spa")):
            await unit.families.add(FAMILY._replace(id=name, client_id=client_id))
        for client_id in ("web", "spa"):
            consent = Consent(ALICE.id, client_id, "app.example.com", Scope.parse("openid"), NOW)
            await unit.consents.save(consent)
        await unit.clients.use_assertion("web", JTI, NOW + 60)
        await unit.commit()

    async with database.unit() as unit:
        assert await unit.clients.remove("web")
        assert not await unit.clients.remove("web")
        reason = EndReason.CLIENT_REMOVED
        assert await unit.families.end_of_client("web", reason=reason, now=NOW + 1) == 2
        assert await unit.families.end_of_client("web", reason=reason, now=NOW + 2) == 0
        await unit.commit()

    async with database.unit() as unit:
        assert await unit.clients.find("web") is None
        read = await unit.families.for_update(["web-family-1", "web-family-2", "spa-family-1"])
        endings = {name: one.family.ending for name, one in read.items()}
        assert endings.pop("spa-family-1") is None
        assert {ending and (ending.reason, ending.at) for ending in endings.values()} == {(reason, NOW + 1)}
        assert await unit.sessions.user_of(SESSION.id) == ALICE.id
    async with database.reading_engine.connect() as connection:
        counts = {
            table.name: (await connection.scalars(select(func.count()).select_from(table))).one()
            for table in (tables.consents, tables.assertions)
        }
    assert counts == {"consents": 1, "assertions": 0}
