"""Who is signed in behind a cookie, what they agreed to, and who is told when it ends; the same on both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.scope import Scope
from mapae.server.domain.clients import Client
from mapae.server.domain.consents import Consent
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.sessions import EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store import tables
from mapae.server.store.browsers import Browser
from mapae.server.store.engine import Database, open_database

IDLE = 1000
DIGEST = b"d" * 32
ALICE = User("alice-id-123", "Alice", "alice", None, ("member",), 1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """With alice, who is signed in in a browser since now."""
    opened = open_database(database_url)
    async with opened.unit() as unit:
        now = await unit.now()
        await unit.users.add(ALICE)
        await unit.sessions.add(
            Session(
                "session-1234",
                ALICE.id,
                "mapae",
                now,
                now + 5000,
                now,
                None,
                None,
                None,
                cookie_digest=DIGEST,
            )
        )
        await unit.commit()
    yield opened
    await opened.close()


async def behind(database: Database, digest: bytes = DIGEST, client_id: str | None = "web") -> Browser | None:
    async with database.reading() as unit:
        return await unit.browsers.behind(digest, client_id=client_id, idle_s=IDLE)


async def gets(database: Database, client_id: str, number: int, subject: str | None = None) -> None:
    """Have a client get something from the session."""
    async with database.unit() as unit:
        now = await unit.now()
        family = Family(
            id=f"family-{number}",
            session_id="session-1234",
            client_id=client_id,
            first_party=False,
            binder=Binder(),
            audience="https://api.example.com",
            scope="openid",
            expires_at=now + 5000,
            used_at=now,
            auth_time=now,
            subject=subject,
        )
        await unit.families.add(family)
        await unit.commit()


async def move(database: Database, **seconds: int) -> None:
    """Move moments of the session back."""
    async with database.writing.connect() as connection:
        moved = {name: tables.sessions.c[name] - ago for name, ago in seconds.items()}
        await connection.execute(update(tables.sessions).values(moved))
        await connection.commit()


async def test_the_user_behind_a_cookie(database: Database) -> None:
    found = await behind(database)
    assert found is not None
    assert (found.session_id, found.user, found.consents) == ("session-1234", ALICE, ())
    assert found.authenticated_at <= found.now
    assert await behind(database, b"x" * 32) is None


@pytest.mark.parametrize(
    ("ago", "live"),
    [
        ({"authenticated_at": IDLE - 10}, True),
        ({"authenticated_at": IDLE}, False),
        ({"expires_at": 4990}, True),
        ({"expires_at": 5000}, False),
    ],
)
async def test_a_session_that_has_run_out_is_nobodys(
    database: Database, ago: dict[str, int], live: bool
) -> None:
    await move(database, **ago)
    assert (await behind(database) is not None) == live


async def test_what_clients_do_keeps_the_session(database: Database) -> None:
    await gets(database, "web", 1)
    await move(database, authenticated_at=IDLE)
    assert await behind(database) is not None
    async with database.reading() as unit:
        (listed,) = await unit.sessions.live_of(ALICE.id, now=await unit.now(), idle_s=IDLE)
    assert listed.used_at > listed.session.authenticated_at


async def test_a_session_without_a_family_is_listed_and_idle_like_others(database: Database) -> None:
    async with database.reading() as unit:
        (listed,) = await unit.sessions.live_of(ALICE.id, now=await unit.now(), idle_s=IDLE)
    assert listed.used_at == listed.session.authenticated_at
    await move(database, authenticated_at=IDLE)
    async with database.reading() as unit:
        assert await unit.sessions.live_of(ALICE.id, now=await unit.now(), idle_s=IDLE) == []


async def test_ended_sessions_and_disabled_users_are_nobody(database: Database) -> None:
    async with database.unit() as unit:
        await unit.users.save(replace(ALICE, disabled_at=5))
        await unit.commit()
    assert await behind(database) is None
    async with database.unit() as unit:
        await unit.users.save(ALICE)
        await unit.sessions.end("session-1234", user_id=ALICE.id, reason=EndReason.LOGGED_OUT, now=9)
        await unit.commit()
    assert await behind(database) is None
    async with database.reading() as unit:
        assert await unit.sessions.of_cookie(DIGEST) is None


async def test_another_cookie_takes_the_place_of_the_first(database: Database) -> None:
    async with database.unit() as unit:
        await unit.sessions.authenticated_again("session-1234", cookie_digest=b"n" * 32, now=7)
        await unit.commit()
        session = await unit.sessions.of_cookie(b"n" * 32)
        assert await unit.sessions.of_cookie(DIGEST) is None
    assert session is not None
    assert (session.id, session.authenticated_at) == ("session-1234", 7)


async def test_consents_of_one_client_come_with_its_user(database: Database) -> None:
    consent = Consent(ALICE.id, "web", "app.example.com", Scope.parse("openid"), 5)
    more = replace(consent, scope=Scope.parse("openid email"), granted_at=6)
    elsewhere = replace(consent, destination="other.example.com")
    async with database.unit() as unit:
        for one in (consent, elsewhere, more, replace(consent, client_id="other")):
            await unit.consents.save(one)
        await unit.commit()
    found = await behind(database)
    assert found is not None
    assert set(found.consents) == {more, elsewhere}
    nobodys = await behind(database, client_id=None)
    assert nobodys is not None
    assert nobodys.consents == ()


async def test_each_client_of_a_session_that_wants_to_be_told_is_told_once(database: Database) -> None:
    told = ClientMetadata(backchannel_logout_uri="https://told.example.com/out")
    async with database.unit() as unit:
        for client_id, metadata in (("told", told), ("pairwise", told), ("deaf", ClientMetadata())):
            await unit.clients.add(Client(client_id, metadata))
        await unit.clients.add(Client("elsewhere", told))
        await unit.commit()
    for number, client_id in enumerate(("told", "told", "deaf", "mapae")):
        await gets(database, client_id, number)
    await gets(database, "pairwise", 9, subject="another name")
    async with database.unit() as unit:
        assert not await unit.logout_deliveries.any_due()
        ended = await unit.sessions.end_all(ALICE.id, reason=EndReason.PASSWORD_CHANGED, now=await unit.now())
        again = await unit.sessions.end_all(ALICE.id, reason=EndReason.PASSWORD_CHANGED, now=await unit.now())
        await unit.commit()
    assert (ended, again) == (["session-1234"], [])
    async with database.writing.connect() as connection:
        table = tables.logout_deliveries
        rows = await connection.execute(
            select(table.c.client_id, table.c.session_id, table.c.subject, table.c.tries).order_by(
                table.c.client_id
            )
        )
        assert [tuple(row) for row in rows] == [
            ("pairwise", "session-1234", "another name", 0),
            ("told", "session-1234", ALICE.id, 0),
        ]


async def fill(database: Database, deliveries: int) -> None:
    """Put something into the outbox."""
    async with database.writing.connect() as connection:
        await connection.execute(
            tables.logout_deliveries.insert(),
            [
                {
                    "client_id": f"client-{number}",
                    "session_id": "session-1234",
                    "subject": ALICE.id,
                    "created_at": 1,
                    "due_at": 1,
                    "tries": 0,
                }
                for number in range(deliveries)
            ],
        )
        await connection.commit()


async def test_two_processes_never_deliver_the_same(database: Database, database_url: str) -> None:
    await fill(database, 30)
    other = open_database(database_url)

    async def claim(of: Database) -> list[int]:
        mine: list[int] = []
        while True:
            async with of.unit() as unit:
                claimed = await unit.logout_deliveries.claim(most=4, lease_s=100)
                await unit.commit()
            if not claimed:
                return mine
            mine += [delivery.id for delivery in claimed]

    claimed = [one for ids in await asyncio.gather(claim(database), claim(other)) for one in ids]
    assert len(claimed) == len(set(claimed)) == 30
    await other.close()


async def test_a_delivery_is_due_again_when_its_lease_is_over_or_it_was_put_off(database: Database) -> None:
    await fill(database, 1)
    async with database.unit() as unit:
        (first,) = await unit.logout_deliveries.claim(most=4, lease_s=0)
        (second,) = await unit.logout_deliveries.claim(most=4, lease_s=100)
        assert (first.tries, second.tries) == (1, 2)
        assert not await unit.logout_deliveries.any_due()
        await unit.logout_deliveries.put_off(second.id, by_s=0)
        assert await unit.logout_deliveries.any_due()
        await unit.logout_deliveries.done(second.id)
        assert not await unit.logout_deliveries.any_due()
