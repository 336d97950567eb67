"""Codes, subjects and what was asked for by `claims`, as both databases keep them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mapae.oauth.claims_request import ClaimsRequest
from mapae.oauth.pkce import Challenge
from mapae.server.domain.codes import Code
from mapae.server.domain.families import Binder, BinderKind, Family
from mapae.server.domain.sessions import Ending, EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store.engine import Database, open_database

NOW = 1_700_000_000
ALICE = User("alice-id-123", "Alice", "alice", None, ("member",), NOW, claims={"name": "Alice"})
SESSION = Session("session-1234", ALICE.id, "mapae", NOW, NOW + 5000, NOW, None, None, None)
CODE = Code(
    digest=b"\x00\xff" * 16,
    client_id="web",
    session_id=SESSION.id,
    redirect_uri="https://app.example.com/callback",
    scope="openid orders:read",
    audience="https://api.example.com",
    auth_time=NOW,
    expires_at=NOW + 60,
    subject="pairwise",
    challenge=Challenge("c" * 43),
    nonce="nonce",
    claims=ClaimsRequest(id_token=("email",), userinfo=("name",)),
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    async with opened.unit() as unit:
        await unit.users.add(ALICE)
        await unit.sessions.add(SESSION)
        await unit.codes.add([CODE])
        await unit.commit()
    yield opened
    await opened.close()


async def test_a_code_comes_back_as_it_was_kept_with_its_user_and_session(database: Database) -> None:
    async with database.unit() as unit:
        read = (await unit.codes.for_update([CODE.digest, b"another"])).get(CODE.digest)
        assert await unit.codes.for_update([b"another"]) == {}
    assert read is not None
    assert (read.code, read.user) == (CODE, ALICE)
    assert (read.session_expires_at, read.session_ending) == (SESSION.expires_at, None)


async def test_a_code_without_the_optional_parts_comes_back_too(database: Database) -> None:
    bare = replace(CODE, digest=b"bare", subject=None, challenge=None, nonce=None, claims=ClaimsRequest())
    async with database.unit() as unit:
        await unit.codes.add([bare])
        read = (await unit.codes.for_update([b"bare"])).get(b"bare")
    assert read is not None
    assert read.code == bare


async def test_that_a_code_is_spent_and_that_its_session_ended_is_kept(database: Database) -> None:
    spent = replace(CODE, redeemed_at=NOW + 1, family_id="family")
    async with database.unit() as unit:
        await unit.codes.save([spent])
        await unit.sessions.end(SESSION.id, user_id=ALICE.id, reason=EndReason.LOGGED_OUT, now=NOW + 2)
        await unit.commit()
    async with database.unit() as unit:
        read = (await unit.codes.for_update([CODE.digest])).get(CODE.digest)
    assert read is not None
    assert read.code == spent
    assert read.session_ending == Ending(EndReason.LOGGED_OUT, NOW + 2)


async def test_two_who_read_a_code_read_it_one_after_the_other(database: Database, database_url: str) -> None:
    other = open_database(database_url)
    reads = []

    async def spend(where: Database, family_id: str) -> None:
        async with where.unit() as unit:
            read = (await unit.codes.for_update([CODE.digest])).get(CODE.digest)
            assert read is not None
            reads.append(read.code.family_id)
            await unit.codes.save([replace(read.code, redeemed_at=NOW, family_id=family_id)])
            await unit.commit()

    await asyncio.gather(spend(database, "one"), spend(other, "two"))
    await other.close()
    assert reads in ([None, "one"], [None, "two"])


async def test_codes_and_revoked_tokens_are_swept_when_they_are_long_over(database: Database) -> None:
    async with database.unit() as unit:
        await unit.access_tokens.revoke("token", expires_at=CODE.expires_at)
        assert await unit.jobs.sweep_codes(over_before=CODE.expires_at, most=5) == 0
        assert await unit.jobs.sweep_revoked_tokens(over_before=CODE.expires_at, most=5) == 0
        assert await unit.jobs.sweep_codes(over_before=CODE.expires_at + 1, most=5) == 1
        assert await unit.jobs.sweep_revoked_tokens(over_before=CODE.expires_at + 1, most=5) == 1
        assert await unit.codes.for_update([CODE.digest]) == {}
        assert await unit.access_tokens.revoked(["token"]) == frozenset()


async def test_what_a_family_was_asked_for_by_claims_is_kept(database: Database) -> None:
    family = Family(
        id="family-12345",
        session_id=SESSION.id,
        client_id="web",
        first_party=False,
        binder=Binder(BinderKind.CLIENT),
        audience=CODE.audience,
        scope=CODE.scope,
        expires_at=NOW + 5000,
        used_at=NOW,
        auth_time=NOW,
        claims=CODE.claims,
    )
    async with database.unit() as unit:
        await unit.families.add(family)
        read = (await unit.families.for_update([family.id]))[family.id]
    assert read.family == family


async def test_a_user_is_one_subject_in_a_sector_and_another_elsewhere(
    database: Database, database_url: str
) -> None:
    other = open_database(database_url)

    async def subject(where: Database, sector: str, new: str) -> str:
        async with where.unit() as unit:
            found = await unit.subjects.of(sector, ALICE.id, new=new)
            await unit.commit()
        return found

    both = await asyncio.gather(subject(database, "app", "one"), subject(other, "app", "two"))
    await other.close()
    assert set(both) in ({"one"}, {"two"})
    assert await subject(database, "app", "three") == both[0]
    assert await subject(database, "elsewhere", "four") == "four"
