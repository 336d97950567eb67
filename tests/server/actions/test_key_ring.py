"""The key ring on both databases: several processes, one ring; what each sees, and what survives a crash."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from alembic import command
from sqlalchemy import Connection, select, text, update

from mapae.clock import Clock, system_clock
from mapae.entropy import system_entropy
from mapae.jose.jwk import Jwk
from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.scope import Scope
from mapae.server.actions.key_ring import KeyRing
from mapae.server.actions.mint import Mint
from mapae.server.actions.rotate_keys import NoSuchKey, RotateKeys, WrongSecretKey
from mapae.server.adapters.key_holders import HolderUnavailable, SealedKeys
from mapae.server.adapters.sealing import CannotOpen, Sealer
from mapae.server.domain.clients import Client
from mapae.server.domain.keys import REFRESH_ALGORITHM, SEEN_S, Key, KeyState, Lives
from mapae.server.domain.refresh_token import RefreshKeyLost, RefreshTokenCodec, derive_refresh_key
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.store import tables
from mapae.server.store.engine import Database, open_database
from mapae.server.store.migrations import _config, upgrade
from mapae.verifier import Verifier
from tests.server.domain.test_keys import ACTIVE

SECRET, OTHER_SECRET = b"s" * 32, b"o" * 32
LIVES = Lives(rotation_s=10_000, ahead_s=420, linger_s=540)
REFRESH_LIVES = Lives(rotation_s=10_000, ahead_s=120, linger_s=50_000)
ISSUER, AUDIENCE = "https://auth.example.com", "https://api.example.com"
FAMILY = "AAAAAAAAAAAA"


@dataclass
class Counting(SealedKeys):
    """Counts what it is asked."""

    secret: bytes = SECRET
    former: tuple[bytes, ...] = ()
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.secret, Sealer(self.secret, system_entropy, former=self.former), system_entropy)

    def _open(self, key: Key) -> bytes:
        self.opened.append(key.kid)
        return super()._open(key)


@dataclass
class Process:
    """What one process of the server has of the ring; `passed_s` moves its clock on."""

    database: Database
    sealed: Counting = field(default_factory=Counting)
    passed_s: float = 0.0

    def __post_init__(self) -> None:
        self.use(RotateKeys(self.database, self.sealed, self.sealed, LIVES, REFRESH_LIVES))

    def use(self, rotation: RotateKeys) -> None:
        """Have this rotation in place of the one of the tests here."""
        self.rotation = rotation
        self.ring = KeyRing(rotation, [rotation.sealed], monotonic=lambda: self.passed_s)
        self.codec = RefreshTokenCodec(self.ring.refresh_keys)
        self.mint_for(ISSUER, system_clock)

    def mint_for(self, issuer: str, clock: Clock, *, life_s: int = 300) -> None:
        """Issue the tokens of this issuer, by this clock."""
        self.mint = Mint(issuer, life_s, self.ring, clock, system_entropy)

    async def token(self, audience: str = AUDIENCE) -> str:
        return await self.mint.access_token(
            subject="alice", audience=audience, client_id="mapae", scope=Scope.of([]),
            session_id="a-session-12", auth_time=0, roles=(),
        )  # fmt: skip

    @property
    def signs(self) -> str:
        return self.ring.signing(AUDIENCE).kid

    @property
    def published(self) -> set[str | None]:
        return {key.kid for key in self.ring.published()}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def process(database: Database) -> Process:
    made = Process(database)
    await made.ring.look()
    return made


async def test_the_key_of_a_client_that_was_just_registered_is_made_when_it_is_needed(
    process: Process,
) -> None:
    with pytest.raises(HolderUnavailable):
        process.ring.signing_id_tokens("RS256")
    async with process.database.unit() as unit:
        await unit.clients.add(Client("web", ClientMetadata(), created_at=0))
        await unit.commit()
    await process.ring.prepare_id_tokens("RS256")
    key = process.ring.signing_id_tokens("RS256")
    assert key.kid in process.published
    await process.ring.prepare_id_tokens("RS256")
    assert process.ring.signing_id_tokens("RS256") is key


async def test_an_algorithm_that_no_client_asks_for_gets_no_key(process: Process) -> None:
    with pytest.raises(HolderUnavailable):
        await process.ring.prepare_id_tokens("PS256")


async def pass_in_database(database: Database, seconds: int) -> None:
    """As if all keys had been made so long ago."""
    keys = tables.keys.c
    async with database.writing.connect() as connection:
        await connection.execute(
            update(tables.keys).values(
                created_at=keys.created_at - seconds,
                signs_from=keys.signs_from - seconds,
                signs_until=keys.signs_until - seconds,
                gone_at=keys.gone_at - seconds,
            )
        )
        await connection.commit()


async def events_of(database: Database, *names: str) -> list[tuple[str, str]]:
    async with database.reading_engine.connect() as connection:
        rows = await connection.execute(select(tables.events).order_by(tables.events.c.id))
        return [(row.name, row.members["kid"]) for row in rows if row.name in names]


async def test_the_first_process_makes_a_key_that_signs_and_one_of_refresh_tokens(process: Process) -> None:
    seen = await process.rotation.read()
    assert {(key.algorithm, key.state(seen.now)) for key in seen.keys} == {
        ("ES256", KeyState.ACTIVE),
        (REFRESH_ALGORITHM, KeyState.ACTIVE),
    }
    assert process.published == {process.signs}
    assert len(await events_of(process.database, "key_scheduled")) == 2
    assert not any({"d", "k"} & set(key.public) for key in seen.keys)


async def test_processes_that_start_together_make_one_key(database_url: str) -> None:
    databases = [open_database(database_url) for _ in range(6)]
    processes = [Process(database) for database in databases]
    await asyncio.gather(*(one.ring.look() for one in processes))
    kept = (await processes[0].rotation.read()).keys
    assert sorted(key.algorithm for key in kept) == ["ES256", REFRESH_ALGORITHM]
    assert len({one.signs for one in processes}) == 1
    for database in databases:
        await database.close()


async def test_processes_that_find_a_rotation_due_make_one_key(process: Process, database_url: str) -> None:
    await pass_in_database(process.database, LIVES.rotation_s - LIVES.ahead_s)
    databases = [open_database(database_url) for _ in range(6)]
    others = [Process(database) for database in databases]
    await asyncio.gather(process.ring.look(), *(one.ring.look() for one in others))
    seen = await process.rotation.read()
    signing = [key for key in seen.keys if key.algorithm == "ES256"]
    assert [key.state(seen.now) for key in signing] == [KeyState.ACTIVE, KeyState.UPCOMING]
    assert {one.signs for one in others} == {process.signs} == {signing[0].kid}
    for database in databases:
        await database.close()


async def test_the_database_itself_refuses_a_second_last_key(process: Process) -> None:
    second = replace(ACTIVE, kid="second")
    with pytest.raises(Exception, match=r"(?i)unique"):
        async with process.database.unit() as unit:
            await unit.keys.add(second)


async def test_a_key_signs_when_it_has_been_published_and_stays_until_its_tokens_are_dead(
    process: Process,
) -> None:
    old, token = process.signs, await process.token()
    _, new = await process.rotation.rotate(["ES256"], at_once=False)
    await process.ring.look()
    assert (process.signs, process.published) == (old, {old, new.kid})

    # From here on the process is alone: what it has read tells it when to do what.
    process.passed_s += LIVES.ahead_s + 1
    assert (process.signs, process.published) == (new.kid, {old, new.kid})
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=process.ring.published)
    assert verifier.verify(token).subject == "alice"
    assert verifier.verify(await process.token()).subject == "alice"

    process.passed_s += LIVES.linger_s
    assert process.published == {new.kid}


async def test_another_process_sees_a_rotation_at_its_next_look(process: Process, database: Database) -> None:
    other = Process(database)
    await other.ring.look()
    changed = await process.rotation.rotate(["ES256", REFRESH_ALGORITHM], at_once=True)
    new = {key.algorithm: key.kid for key in changed if key.signs_until is None}
    await other.ring.look()
    assert new["ES256"] in other.published
    other.passed_s += SEEN_S + 1
    assert other.signs == new["ES256"]


async def test_the_key_set_is_the_same_object_as_long_as_it_is_the_same(process: Process) -> None:
    before = process.ring.published()
    await process.ring.look()
    assert process.ring.published() is before
    await process.rotation.rotate(["ES256"], at_once=False)
    await process.ring.look()
    assert process.ring.published() is not before


async def test_a_key_is_opened_once_and_not_for_each_token(process: Process) -> None:
    opened = len(process.sealed.opened)
    for _ in range(20):
        await process.token()
        process.codec.write(FAMILY, 1)
        await process.ring.look()
    assert len(process.sealed.opened) == opened == 2


async def test_each_resource_server_has_tokens_of_its_algorithm(database: Database) -> None:
    process = Process(database)
    algorithms = ("ES256", "RS256", "PS256", "EdDSA")
    async with database.unit() as unit:
        for algorithm in algorithms:
            await unit.resource_servers.add(ResourceServer(f"https://{algorithm}.example.com", (), algorithm))
        await unit.commit()
    await process.ring.look()
    assert len(process.published) == 4
    for algorithm in algorithms:
        audience = f"https://{algorithm}.example.com"
        verifier = Verifier(
            issuer=ISSUER, audience=audience, keys=process.ring.published, algorithms=[algorithm]
        )
        assert verifier.verify(await process.token(audience)).audience == (audience,)


async def test_another_algorithm_is_published_before_it_signs(process: Process) -> None:
    await pass_in_database(process.database, 1000)
    async with process.database.unit() as unit:
        await unit.resource_servers.add(ResourceServer(AUDIENCE, (), "EdDSA"))
        await unit.commit()
    await process.ring.look()
    assert len(process.published) == 2
    assert process.ring.signing(AUDIENCE).algorithm == "ES256"
    process.passed_s += LIVES.ahead_s + 1
    assert process.ring.signing(AUDIENCE).algorithm == "EdDSA"


async def test_the_key_of_an_algorithm_that_nobody_asks_for_any_more_goes(process: Process) -> None:
    async with process.database.unit() as unit:
        await unit.resource_servers.add(ResourceServer(AUDIENCE, (), "EdDSA"))
        await unit.commit()
    await process.ring.look()
    token = await process.token()
    assert process.ring.signing(AUDIENCE).algorithm == "EdDSA"
    async with process.database.unit() as unit:
        await unit.resource_servers.save(ResourceServer(AUDIENCE, (), "ES256"))
        await unit.commit()
    await process.ring.look()
    assert process.ring.signing(AUDIENCE).algorithm == "ES256"
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=process.ring.published)
    assert verifier.verify(token).subject == "alice"
    process.passed_s += LIVES.linger_s + 1
    assert process.published == {process.signs}


async def test_the_one_key_of_before_goes_on_in_the_ring(empty_database_url: str) -> None:
    database = open_database(empty_database_url, create=True)
    sealed = Counting()
    made = sealed.make("ES256")
    async with database.writing.connect() as connection:
        await connection.run_sync(migrate_to, "0002")
        await connection.execute(
            text(
                "INSERT INTO keys (kid, algorithm, active, public, sealed, created_at)"
                " VALUES (:kid, 'ES256', :yes, :public, :sealed, 1700000000)"
            ),
            {"kid": made.kid, "public": json.dumps(made.public), "sealed": made.sealed, "yes": True},
        )
        await connection.execute(
            text("INSERT INTO resource_servers (audience, position, scopes) VALUES (:audience, 1, '[]')"),
            {"audience": AUDIENCE},
        )
        await connection.commit()
    await upgrade(database)
    process = Process(database)
    await process.ring.look()
    assert process.signs == made.kid
    assert len(process.published) == 2, "it is older than a rotation, so the next one is on its way"
    await database.close()


def migrate_to(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_a_revoked_key_is_out_of_the_key_set_and_another_one_signs(process: Process) -> None:
    stolen, token = process.signs, await process.token()
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=process.ring.published)
    assert verifier.verify(token).subject == "alice"
    revoked, new = await process.rotation.revoke(stolen)
    assert revoked.kid == stolen
    await process.ring.look()
    assert (process.signs, process.published) == (new.kid, {new.kid})
    with pytest.raises(Exception, match="unknown_key"):
        verifier.verify(token)
    assert verifier.verify(await process.token()).subject == "alice"
    assert await events_of(process.database, "key_revoked") == [("key_revoked", stolen)]
    assert await process.rotation.revoke(stolen) == ()
    with pytest.raises(NoSuchKey):
        await process.rotation.revoke("no-such-key")


async def test_refresh_tokens_of_versions_that_kept_no_key_are_read(database: Database) -> None:
    before = Process(database)
    async with database.unit() as unit:
        made, now = before.sealed.make("ES256"), await unit.now()
        await unit.keys.add(Key(made.kid, "ES256", "database", made.public, made.sealed, now - 60, now - 60))
        await unit.commit()
    await before.ring.look()
    theirs = RefreshTokenCodec(lambda: [derive_refresh_key(SECRET)])
    assert before.codec.read(theirs.write(FAMILY, 7)).turn == 7


async def test_who_knows_the_secret_key_alone_makes_no_refresh_token(process: Process) -> None:
    theirs = RefreshTokenCodec(lambda: [derive_refresh_key(SECRET)])
    with pytest.raises(RefreshKeyLost):
        process.codec.read(theirs.write(FAMILY, 7))


async def test_refresh_tokens_outlive_the_rotation_of_their_key(process: Process) -> None:
    token = process.codec.write(FAMILY, 7)
    await process.rotation.rotate([REFRESH_ALGORITHM], at_once=False)
    await process.ring.look()
    assert process.codec.write(FAMILY, 7) == token
    process.passed_s += REFRESH_LIVES.ahead_s + 1
    assert process.codec.write(FAMILY, 7) != token
    assert process.codec.read(token).turn == 7


async def test_the_secret_key_is_changed_without_a_token_lost(process: Process, database: Database) -> None:
    access, refresh = await process.token(), process.codec.write(FAMILY, 7)

    with pytest.raises(WrongSecretKey):
        await Process(database, Counting(OTHER_SECRET)).ring.look()
    both = Process(database, Counting(OTHER_SECRET, (SECRET,)))
    await both.ring.look()
    assert len(await both.rotation.reseal()) == 2
    assert await both.rotation.reseal() == []
    assert len(await events_of(database, "key_resealed")) == 2

    alone = Process(database, Counting(OTHER_SECRET))
    await alone.ring.look()
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, keys=alone.ring.published)
    assert verifier.verify(access).subject == "alice"
    assert alone.codec.read(refresh).turn == 7
    assert alone.codec.write(FAMILY, 7) == refresh
    with pytest.raises(WrongSecretKey):
        await Process(database).rotation.reseal()


async def test_a_host_without_the_secret_key_of_the_others_goes_on_and_follows(
    process: Process, database: Database
) -> None:
    mine, token = process.signs, process.codec.write(FAMILY, 7)
    other = Process(database, Counting(OTHER_SECRET, (SECRET,)))
    changed = await other.rotation.rotate(["ES256", REFRESH_ALGORITHM], at_once=True)
    theirs, their_refresh = sorted(
        (key for key in changed if key.signs_until is None), key=lambda key: key.algorithm
    )
    await other.ring.look()
    other.passed_s += SEEN_S + 1
    assert other.signs == theirs.kid
    assert other.codec.read(token).turn == 7

    with pytest.raises(WrongSecretKey):
        await process.ring.look()
    process.passed_s += SEEN_S + 1
    assert (process.signs, process.published) == (mine, {mine, theirs.kid})
    assert process.codec.write(FAMILY, 7) == token
    # A token that only the others can read is not told that its key is lost.
    with pytest.raises(RefreshKeyLost):
        process.codec.read(other.codec.write(FAMILY, 7))
    with pytest.raises(HolderUnavailable):
        await process.ring.look_again()

    await other.rotation.revoke(theirs.kid)
    with pytest.raises(WrongSecretKey, match=their_refresh.kid):
        await process.ring.look()
    assert theirs.kid not in process.published


async def test_whoever_meets_an_unknown_key_looks_again_once_a_second(
    process: Process, database: Database
) -> None:
    other = Process(database)
    await other.ring.look()
    changed = await other.rotation.rotate([REFRESH_ALGORITHM], at_once=True)
    await other.ring.look()
    other.passed_s += SEEN_S + 1
    token = other.codec.write(FAMILY, 7)
    assert len(changed) == 2

    await process.ring.look_again()
    with pytest.raises(RefreshKeyLost):
        process.codec.read(token)
    process.passed_s += 1
    await asyncio.gather(*(process.ring.look_again() for _ in range(5)))
    assert process.codec.read(token).turn == 7


async def test_the_private_part_is_bound_to_its_key_and_to_what_it_is_for(process: Process) -> None:
    key, refresh = sorted((await process.rotation.read()).keys, key=lambda key: key.algorithm)
    sealed = process.sealed
    assert isinstance(sealed.signer(key).key, Jwk)
    for swapped in (
        replace(key, kid=refresh.kid),
        replace(key, algorithm=REFRESH_ALGORITHM),
        replace(key, sealed=refresh.sealed),
        replace(key, sealed=key.sealed[:-1] + bytes([key.sealed[-1] ^ 1])),
    ):
        with pytest.raises(CannotOpen):
            sealed.signer(swapped)


KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import event
from mapae.server.store.engine import open_database
from tests.server.actions.test_key_ring import Process

async def main():
    database = open_database(sys.argv[1])
    event.listen(database.writing.sync_engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    await Process(database).rotation.rotate(["ES256"], at_once=True)

asyncio.run(main())
"""


async def test_a_process_killed_in_the_middle_of_a_rotation_leaves_it_undone(
    process: Process, database_url: str
) -> None:
    before = (await process.rotation.read()).keys
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, database_url],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert (await process.rotation.read()).keys == before
    old = process.signs
    _, new = await process.rotation.rotate(["ES256"], at_once=True)
    await process.ring.look()
    assert process.published == {old, new.kid}


async def test_a_ring_whose_database_is_away_goes_on(process: Process, database: Database) -> None:
    _, new = await process.rotation.rotate(["ES256"], at_once=False)
    await process.ring.look()
    async with database.writing.connect() as connection:
        await connection.execute(text("ALTER TABLE keys RENAME TO keys_away"))
        await connection.commit()
    with pytest.raises(Exception, match="keys"):
        await process.ring.look()
    process.passed_s += LIVES.ahead_s + 1
    assert process.signs == new.kid
    await process.token()


async def test_keys_that_have_been_gone_for_long_are_deleted(process: Process) -> None:
    old = process.signs
    await process.rotation.revoke(old)
    async with process.database.unit() as unit:
        now = await unit.now()
        assert await unit.keys.sweep(gone_before=now - 10) == 0
        assert await unit.keys.sweep(gone_before=now + 10) == 1
        await unit.commit()
    assert old not in {key.kid for key in (await process.rotation.read()).keys}
