"""The store keeps what it is given, the same on both databases, also when two write at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, select

from mapae.server.domain.events import SignedIn, UserChanged
from mapae.server.domain.families import Binder, BinderKind, Family
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.sessions import Ending, EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store import tables
from mapae.server.store.engine import Database, StoreUnavailable, open_database
from mapae.server.store.users import UsernameTaken

NOW = 1_700_000_000
IDLE = 1000

ALICE = User("alice-id-123", "Alice", "alice", "$argon2id$…", ("member", "admin"), NOW, "a@example.com", True)
SESSION = Session("session-1234", ALICE.id, "mapae", NOW, NOW + 5000, NOW, "laptop", "192.0.2.1", "agent")
FAMILY = Family(
    id="family-12345",
    session_id=SESSION.id,
    client_id="mapae",
    first_party=True,
    binder=Binder(BinderKind.INSTANCE, b"\x00\xff" * 16),
    audience="https://api.example.com",
    scope="orders:read",
    expires_at=SESSION.expires_at,
    used_at=NOW,
    auth_time=NOW,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def with_family(database: Database) -> Database:
    async with database.unit() as unit:
        await unit.users.add(ALICE)
        await unit.sessions.add(SESSION)
        await unit.families.add(FAMILY)
        await unit.commit()
    return database


async def test_the_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    async with database.writing.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), tables.metadata)
        )
    assert differences == []


async def test_a_user_comes_back_as_it_was_kept(with_family: Database) -> None:
    async with with_family.reading() as unit:
        assert await unit.users.named("alice") == ALICE
        assert await unit.users.named("bob") is None
        assert await unit.users.all() == [ALICE]


async def test_two_users_cannot_have_one_name(with_family: Database) -> None:
    async with with_family.unit() as unit:
        with pytest.raises(UsernameTaken):
            await unit.users.add(replace(ALICE, id="another-id-1", username="ALICE"))


async def test_two_processes_that_make_the_same_user_make_one(database: Database, database_url: str) -> None:
    other = open_database(database_url)

    async def add(where: Database, user_id: str) -> bool:
        try:
            async with where.unit() as unit:
                await unit.users.add(replace(ALICE, id=user_id))
                await unit.commit()
        except UsernameTaken:
            return False
        return True

    made = await asyncio.gather(*(add(where, f"id-{n}") for n in range(8) for where in (database, other)))
    await other.close()
    assert sum(made) == 1


async def test_a_user_that_changed_meanwhile_is_not_confirmed(with_family: Database) -> None:
    async with with_family.unit() as unit:
        assert await unit.users.confirm(ALICE) is not None
        assert await unit.users.confirm(replace(ALICE, password_hash="another")) is None
        await unit.users.save(replace(ALICE, disabled_at=NOW))
        assert await unit.users.confirm(ALICE) is None


async def test_resource_servers_keep_the_order_of_the_set_up(database: Database) -> None:
    servers = [ResourceServer(f"https://{name}.example.com", ("read",)) for name in ("zoo", "api", "mid")]
    for server in servers:
        async with database.unit() as unit:
            await unit.resource_servers.add(server)
            await unit.commit()
    changed = replace(servers[0], scopes=("read", "write"), signing_alg="RS256")
    async with database.unit() as unit:
        await unit.resource_servers.save(changed)
        await unit.commit()
    async with database.reading() as unit:
        assert await unit.resource_servers.all() == [changed, *servers[1:]]


async def test_a_family_comes_back_as_it_was_saved(with_family: Database) -> None:
    turned = FAMILY._replace(turn=2**31, handed_out_at=NOW + 9, used_at=NOW + 9, known=True, late=True, late_replays=2,
        score=3, uses_attempts=True, attempt_digest=b"\x01" * 32, address="::1", user_agent="other",
    )  # fmt: skip
    async with with_family.unit() as unit:
        await unit.families.for_update([FAMILY.id])
        await unit.families.save([(FAMILY, turned)])
        await unit.commit()
    async with with_family.unit() as unit:
        read = (await unit.families.for_update([FAMILY.id, "not-there-12"]))[FAMILY.id]
    assert read.family == turned
    assert (read.user_id, read.roles, read.user_disabled) == (
        ALICE.id, ("member", "admin"), False,
    )  # fmt: skip


async def test_nothing_is_written_over_a_family_that_moved_on_or_ended(with_family: Database) -> None:
    ended = FAMILY._replace(ending=Ending(EndReason.LOGGED_OUT, NOW))
    for written, kept in [
        ((FAMILY._replace(turn=3), FAMILY._replace(turn=4)), FAMILY),
        ((FAMILY, ended), ended),
        ((ended, FAMILY._replace(turn=1)), ended),
    ]:
        async with with_family.unit() as unit:
            await unit.families.save([written])
            await unit.commit()
        async with with_family.unit() as unit:
            assert (await unit.families.for_update([FAMILY.id]))[FAMILY.id].family == kept


async def test_writers_of_one_family_take_turns(with_family: Database, database_url: str) -> None:
    other = open_database(database_url)

    async def turn(where: Database) -> None:
        async with where.unit() as unit:
            family = (await unit.families.for_update([FAMILY.id]))[FAMILY.id].family
            await unit.families.save([(family, family._replace(turn=family.turn + 1))])
            await unit.commit()

    await asyncio.gather(*(turn(where) for _ in range(10) for where in (with_family, other)))
    await other.close()
    async with with_family.unit() as unit:
        assert (await unit.families.for_update([FAMILY.id]))[FAMILY.id].family.turn == 20


async def test_ending_a_session_ends_its_families_once(with_family: Database) -> None:
    async with with_family.unit() as unit:
        reason = EndReason.REVOKED_BY_USER
        assert await unit.sessions.end(SESSION.id, user_id="somebody-else", reason=reason, now=NOW) == []
        assert await unit.sessions.end(SESSION.id, user_id=ALICE.id, reason=reason, now=NOW) == [SESSION.id]
        assert await unit.sessions.end(SESSION.id, user_id=ALICE.id, reason=EndReason.IDLE, now=NOW + 9) == []
        await unit.commit()
    async with with_family.unit() as unit:
        read = (await unit.families.for_update([FAMILY.id]))[FAMILY.id]
        assert read.family.ending == Ending(reason, NOW)


async def test_ending_all_sessions_but_one_leaves_that_one(with_family: Database) -> None:
    async with with_family.unit() as unit:
        for number in range(3):
            await unit.sessions.add(replace(SESSION, id=f"session-{number}"))
            await unit.families.add(FAMILY._replace(id=f"family-{number}", session_id=f"session-{number}"))
        ended = await unit.sessions.end_all(
            ALICE.id, reason=EndReason.LOGGED_OUT, now=NOW, except_id="session-1"
        )
        await unit.commit()
    assert set(ended) == {"session-0", "session-2", SESSION.id}
    async with with_family.reading() as unit:
        live = await unit.sessions.live_of(ALICE.id, now=NOW, idle_s=IDLE)
    assert [one.session.id for one in live] == ["session-1"]


@pytest.mark.parametrize(
    ("now", "lives"),
    [(NOW + IDLE - 1, True), (NOW + IDLE, False), (SESSION.expires_at, False)],
    ids=["before its idle end", "at its idle end", "at its absolute end"],
)
async def test_a_session_is_live_until_its_ends(with_family: Database, now: int, lives: bool) -> None:
    async with with_family.reading() as unit:
        assert bool(await unit.sessions.live_of(ALICE.id, now=now, idle_s=IDLE)) is lives


async def test_what_is_not_committed_is_not_kept(database: Database) -> None:
    async with database.unit() as unit:
        await unit.users.add(ALICE)
        unit.record(UserChanged(ALICE.id, ("created",)))
    async with database.reading() as unit:
        assert await unit.users.all() == []


async def test_audit_events_are_kept_with_what_they_tell(with_family: Database) -> None:
    signed_in = SignedIn(ALICE.id, SESSION.id, "mapae", None, "agent")
    async with with_family.unit() as unit:
        unit.record(signed_in, UserChanged(ALICE.id, ("password",)))
        before = await unit.now()
        await unit.commit()
    async with with_family.reading_engine.connect() as connection:
        rows = (await connection.execute(select(tables.events).order_by(tables.events.c.id))).all()
    assert [(row.name, row.members["user_id"]) for row in rows] == [
        ("signed_in", ALICE.id),
        ("user_changed", ALICE.id),
    ]
    assert 0 <= rows[0].at - before <= 5


async def test_a_database_that_is_not_there_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = open_database("postgresql://nobody:nothing@127.0.0.1:1/nothing")
    with pytest.raises(StoreUnavailable):
        async with nowhere.unit() as unit:
            await unit.now()
    await nowhere.close()


async def test_deciding_and_saving_a_family_takes_two_statements(with_family: Database) -> None:
    statements: list[str] = []
    event.listen(
        with_family.writing.sync_engine,
        "before_cursor_execute",
        lambda *facts: statements.append(facts[2]),
    )
    async with with_family.unit() as unit:
        read = (await unit.families.for_update([FAMILY.id]))[FAMILY.id]
        await unit.families.save([(read.family, read.family._replace(turn=1))])
        await unit.commit()
    assert [statement.split()[0] for statement in statements if "BEGIN" not in statement] == [
        "SELECT",
        "UPDATE",
    ]
