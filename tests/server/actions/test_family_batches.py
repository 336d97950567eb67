"""Families decided in batches: in sequence where one comes twice, and a theft goes no further than it has to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from mapae.server.actions.family_batches import Decided, FamilyBatches, Presentation
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.families import (
    Binder,
    Ended,
    Family,
    Presented,
    RefreshPolicy,
    Replayed,
    Turned,
    spend,
)
from mapae.server.domain.sessions import EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store import tables
from mapae.server.store.engine import Database, open_database

LIFE = 10_000


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Alice with one session, in which her own client and another one have a family each."""
    opened = open_database(database_url)
    async with opened.unit() as unit:
        now = await unit.now()
        await unit.users.add(User("alice-id", "alice", "alice", None, ("member",), now))
        await unit.sessions.add(
            Session("session", "alice-id", "mapae", now, now + LIFE, now, None, None, None)
        )
        for client_id, first_party in (("mapae", True), ("printer", False)):
            family = Family(
                client_id, "session", client_id, first_party, Binder(), "aud", "", now + LIFE, now, now
            )
            await unit.families.add(family)
        await unit.commit()
    yield opened
    await opened.close()


def batches_of(database: Database, *, grace_s: int = 0) -> FamilyBatches:
    return FamilyBatches(database, RefreshPolicy(grace_s=grace_s, idle_s=LIFE), Metrics())


def presenting(family_id: str, turn: int) -> Presentation:
    return Presentation(family_id, Presented(turn, family_id), spend)


async def decide(batches: FamilyBatches, *presentations: Presentation) -> list[Decided | None]:
    return await asyncio.gather(*(batches.decide(one) for one in presentations))


async def endings(database: Database) -> dict[str, str | None]:
    async with database.reading_engine.connect() as connection:
        families = await connection.execute(select(tables.families.c.id, tables.families.c.ended_reason))
        sessions = await connection.execute(select(tables.sessions.c.id, tables.sessions.c.ended_reason))
        return {row.id: row.ended_reason for row in [*families, *sessions]}


async def test_a_theft_in_another_clients_family_ends_that_family_alone(database: Database) -> None:
    batches = batches_of(database)
    for turn in range(2):
        await decide(batches, presenting("printer", turn))
    (decided,) = await decide(batches, presenting("printer", 0))
    assert decided is not None
    assert isinstance(decided.decision, Ended)
    assert await endings(database) == {"printer": "replayed", "mapae": None, "session": None}
    (mine,) = await decide(batches, presenting("mapae", 0))
    assert mine is not None
    assert isinstance(mine.decision, Turned)


async def test_a_theft_in_the_first_party_family_ends_the_session_and_all_its_families(
    database: Database,
) -> None:
    batches = batches_of(database)
    for turn in range(2):
        await decide(batches, presenting("mapae", turn))
    await decide(batches, presenting("mapae", 0))
    assert await endings(database) == dict.fromkeys(("mapae", "printer", "session"), "replayed")
    (printer,) = await decide(batches, presenting("printer", 0))
    assert printer is not None
    assert isinstance(printer.decision, Ended)
    assert printer.decision.ending.reason is EndReason.REPLAYED


async def test_a_family_that_comes_twice_in_a_batch_is_decided_in_sequence(database: Database) -> None:
    batches = batches_of(database, grace_s=10)
    # The first one is under way alone; the others wait for it and are one batch.
    decided = await decide(batches, presenting("printer", 0), *(presenting("mapae", 0) for _ in range(5)))
    assert [type(one.decision) for one in decided if one] == [Turned, Turned, *[Replayed] * 4]
    assert {one.decision.family.turn for one in decided if one} == {1}


async def test_a_family_that_is_not_there_is_none_and_its_neighbours_are_decided(database: Database) -> None:
    batches = batches_of(database)
    decided = await decide(batches, presenting("mapae", 0), presenting("nobody", 0), presenting("printer", 0))
    assert [one and type(one.decision) for one in decided] == [Turned, None, Turned]


async def test_one_row_that_cannot_be_read_does_not_fail_its_neighbours(database: Database) -> None:
    async with database.writing.connect() as connection:
        broken = update(tables.families).where(tables.families.c.id == "printer")
        await connection.execute(broken.values(binder_kind="something nobody knows"))
        await connection.commit()
    batches = batches_of(database)
    results = await asyncio.gather(
        *(batches.decide(presenting(name, 0)) for name in ("mapae", "printer", "nobody")),
        return_exceptions=True,
    )
    mine, broken_one, nobody = results
    assert isinstance(mine, Decided)
    assert isinstance(mine.decision, Turned)
    assert isinstance(broken_one, ValueError)
    assert nobody is None


async def test_the_user_of_a_family_is_read_at_each_refresh(database: Database) -> None:
    batches = batches_of(database)
    async with database.unit() as unit:
        alice = await unit.users.named("alice")
        assert alice is not None
        await unit.users.save(replace(alice, roles=("admin",)))
        await unit.commit()
    (decided,) = await decide(batches, presenting("mapae", 0))
    assert decided is not None
    assert decided.read.roles == ("admin",)
    async with database.unit() as unit:
        await unit.users.save(replace(alice, disabled_at=await unit.now()))
        await unit.commit()
    (decided,) = await decide(batches, presenting("mapae", 1))
    assert decided is not None
    assert isinstance(decided.decision, Ended)
    assert decided.decision.ending.reason is EndReason.USER_DISABLED
