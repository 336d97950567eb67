"""The directory of clients: read from the database every two seconds at most, and never longer believed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import event

from mapae.oauth.client_metadata import ClientMetadata
from mapae.server.actions import client_directory
from mapae.server.actions.client_directory import KEPT_S, ClientDirectory
from mapae.server.domain.clients import COMMAND_LINE, Client
from mapae.server.store.engine import Database, open_database
from mapae.testing.clock import FixedClock
from tests.server.store.test_clients import SHOP, SPA, WEB


@dataclass
class World:
    database: Database
    clock: FixedClock
    directory: ClientDirectory
    statements: list[str]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    database, clock = open_database(database_url), FixedClock()
    async with database.unit() as unit:
        for client in (WEB, SPA, SHOP):
            await unit.clients.add(client)
        await unit.commit()
    statements: list[str] = []
    event.listen(
        database.reading_engine.sync_engine,
        "before_cursor_execute",
        lambda *facts: statements.append(facts[2]),
    )
    yield World(database, clock, ClientDirectory(database, monotonic=clock), statements)
    await database.close()


async def save(world: World, client: Client) -> None:
    async with world.database.unit() as unit:
        await unit.clients.save(client)
        await unit.commit()


async def test_a_client_is_read_once_in_two_seconds_and_then_anew(world: World) -> None:
    changed = replace(WEB, metadata=replace(WEB.metadata, client_name="Another name"))
    assert await world.directory.find("web") == WEB
    await save(world, changed)
    world.statements.clear()
    world.clock.advance(KEPT_S - 0.1)
    assert await world.directory.find("web") == WEB
    assert world.statements == []
    world.clock.advance(0.1)
    assert await world.directory.find("web") == changed
    assert len(world.statements) == 1


async def test_a_client_that_was_removed_is_gone_in_two_seconds(world: World) -> None:
    assert await world.directory.find("web") == WEB
    async with world.database.unit() as unit:
        await unit.clients.remove("web")
        await unit.commit()
    world.clock.advance(KEPT_S)
    assert await world.directory.find("web") is None


async def test_a_new_client_is_found_at_once(world: World) -> None:
    assert await world.directory.find("new") is None
    async with world.database.unit() as unit:
        await unit.clients.add(replace(WEB, client_id="new"))
        await unit.commit()
    assert await world.directory.find("new") is not None


async def test_our_own_command_line_is_always_there(world: World) -> None:
    world.statements.clear()
    assert await world.directory.find("mapae") is COMMAND_LINE
    assert world.statements == []


@pytest.mark.parametrize("client_id", ["", "a b", "web\x00", "wéb", "\udcff", "x" * 129])
async def test_what_can_be_no_id_is_not_looked_for(world: World, client_id: str) -> None:
    world.statements.clear()
    assert await world.directory.find(client_id) is None
    assert world.statements == []


async def test_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_directory, "MOST", 2)
    for client in (WEB, SPA, SHOP):
        await world.directory.find(client.client_id)
    world.statements.clear()
    await world.directory.find("shop")
    await world.directory.find("spa")
    assert world.statements == []
    await world.directory.find("web")
    assert len(world.statements) == 1


async def test_pages_of_public_clients_have_the_origins_of_their_redirect_uris(world: World) -> None:
    uris = ["https://spa.example.com:8443/a", "https://spa.example.com:8443/b", "com.example.app:/callback"]
    metadata = {
        "redirect_uris": uris,
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    }
    await save(world, replace(SPA, metadata=ClientMetadata.parse(metadata)))
    assert await world.directory.browser_origins() == {"https://spa.example.com:8443"}
    world.statements.clear()
    await save(world, SPA)
    assert await world.directory.browser_origins() == {"https://spa.example.com:8443"}
    assert world.statements == []
    world.clock.advance(KEPT_S)
    assert await world.directory.browser_origins() == {"https://app.example.com"}
