"""Guessing limits, known devices and jobs in the store, on both databases, also when many act at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, update

from mapae.server.domain.limits import Bucket, Limit, account_bucket, address_bucket
from mapae.server.store import tables
from mapae.server.store.engine import Database, open_database
from tests.server.store.test_store import ALICE, FAMILY, NOW

FIVE = Bucket("five", Limit(5, 100))
TEN = Bucket("ten", Limit(10, 1000))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def spend(database: Database, *buckets: Bucket) -> float:
    """Spend a guess: 0, or the seconds to wait."""
    async with database.unit() as unit:
        if not await unit.limits.spend(buckets):
            return await unit.limits.wait_s(buckets)
        await unit.commit()
        return 0


async def let_pass(database: Database, seconds: int) -> None:
    async with database.writing.connect() as connection:
        await connection.execute(
            update(tables.limits).values(paid_until=tables.limits.c.paid_until - seconds)
        )
        await connection.commit()


async def test_a_bucket_gives_its_burst_and_then_says_how_long_to_wait(database: Database) -> None:
    assert [await spend(database, FIVE) for _ in range(5)] == [0] * 5
    wait_s = await spend(database, FIVE)
    assert 95 < wait_s <= 100
    await let_pass(database, 100)
    assert await spend(database, FIVE) == 0
    assert await spend(database, FIVE) > 0
    await let_pass(database, 10_000)
    assert [await spend(database, FIVE) for _ in range(5)] == [0] * 5


async def test_a_bucket_that_nobody_has_used_waits_for_nobody(database: Database) -> None:
    async with database.reading() as unit:
        assert await unit.limits.wait_s([FIVE, TEN]) == 0


async def test_being_refused_costs_nothing_in_any_bucket(database: Database) -> None:
    for _ in range(5):
        await spend(database, FIVE)
    for _ in range(20):
        assert await spend(database, TEN, FIVE) > 0
    assert [await spend(database, TEN) for _ in range(10)] == [0] * 10
    assert await spend(database, FIVE) <= 100


async def test_a_burst_from_two_processes_gets_no_guess_more(database: Database, database_url: str) -> None:
    other = open_database(database_url)
    waits = await asyncio.gather(*(spend(one, FIVE, TEN) for _ in range(20) for one in (database, other)))
    await other.close()
    assert waits.count(0) == 5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_which_addresses_are_one(one: str, other: str, same: bool) -> None:
    assert (address_bucket(one) == address_bucket(other)) is same


def test_a_bucket_names_nobody() -> None:
    assert "alice" not in account_bucket("alice").key


async def test_a_device_is_known_at_the_account_it_signed_in_to(database: Database) -> None:
    async with database.unit() as unit:
        await unit.users.add(ALICE)
        for now in (NOW, NOW + 1):
            await unit.devices.remember(ALICE.id, b"laptop", now=now)
        await unit.commit()
    async with database.reading() as unit:
        assert await unit.users.signing_in("alice", b"laptop") == (ALICE, True)
        assert await unit.users.signing_in("alice", b"another") == (ALICE, False)
        assert await unit.users.signing_in("alice", None) == (ALICE, False)
        assert await unit.users.signing_in("nobody", b"laptop") == (None, False)


async def test_a_job_is_run_by_one_process_an_interval(database: Database, database_url: str) -> None:
    other = open_database(database_url)

    async def claim(where: Database) -> bool:
        async with where.unit() as unit:
            claimed = await unit.jobs.claim("sweep", interval_s=60)
            await unit.commit()
        return claimed

    claims = await asyncio.gather(*(claim(where) for _ in range(5) for where in (database, other)))
    await other.close()
    assert sum(claims) == 1
    async with database.writing.connect() as connection:
        await connection.execute(update(tables.jobs).values(due_at=tables.jobs.c.due_at - 60))
        await connection.commit()
    assert await claim(database)


async def test_the_sweep_takes_what_is_long_over_in_bites_and_leaves_the_rest(database: Database) -> None:
    async with database.unit() as unit:
        await unit.users.add(ALICE)
        await unit.commit()
    async with database.writing.connect() as connection:
        session = {"user_id": ALICE.id, "client_id": "mapae", "created_at": NOW, "authenticated_at": NOW}
        await connection.execute(
            insert(tables.sessions),
            [session | {"id": f"session-{n}", "expires_at": NOW + n} for n in range(10)],
        )
        await connection.commit()
    async with database.unit() as unit:
        await unit.families.add(FAMILY._replace(session_id="session-0"))
        assert await unit.jobs.sweep_sessions(over_before=NOW + 8, most=5) == 5
        assert await unit.jobs.sweep_sessions(over_before=NOW + 8, most=5) == 3
        assert await unit.jobs.sweep_sessions(over_before=NOW + 8, most=5) == 0
        assert await unit.families.for_update([FAMILY.id]) == {}
        await unit.commit()
    await spend(database, FIVE)
    async with database.unit() as unit:
        now = await unit.now()
        assert await unit.jobs.sweep_limits(over_before=now, most=5) == 0
        assert await unit.jobs.sweep_limits(over_before=now + 101, most=5) == 1
        assert await unit.jobs.sweep_events(over_before=now, most=5) == 0
        await unit.devices.remember(ALICE.id, b"laptop", now=now)
        assert await unit.jobs.sweep_devices(over_before=now, most=5) == 0
        assert await unit.jobs.sweep_devices(over_before=now + 1, most=5) == 1
