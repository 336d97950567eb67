"""Access tokens that many ask about at once are looked at in one batch, each by its own grant."""

import asyncio

import pytest
from sqlalchemy import event

from mapae.server.actions.live_tokens import LiveTokens
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.sessions import EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store.engine import Database, open_database
from mapae.verifier import AccessToken, RejectionCode, TokenRejected

NOW = 1_700_000_000
LATER = 4_000_000_000
ALICE = User("alice-id-123", "Alice", "alice", None, (), NOW)


def token(jti: str, *, sid: str | None = None, client_id: str = "web") -> AccessToken:
    claims = {
        "iss": "i",
        "sub": "s",
        "aud": "a",
        "exp": LATER,
        "iat": NOW,
        "jti": jti,
        "client_id": client_id,
    }
    return AccessToken(claims if sid is None else {**claims, "sid": sid})


async def with_sessions(database: Database, count: int) -> None:
    async with database.unit() as unit:
        await unit.users.add(ALICE)
        for number in range(count):
            session = Session(f"session-{number}", ALICE.id, "mapae", NOW, LATER, NOW, None, None, None)
            await unit.sessions.add(session)
            await unit.families.add(
                Family(
                    id=f"family-{number}", session_id=session.id, client_id="web", first_party=False,
                    binder=Binder(), audience="a", scope="s", expires_at=LATER, used_at=NOW, auth_time=NOW,
                )
            )  # fmt: skip
        await unit.commit()


async def test_each_of_many_gets_its_own_answer_and_all_together_a_few_reads(database_url: str) -> None:
    database = open_database(database_url)
    live = LiveTokens(database)
    await with_sessions(database, 20)
    async with database.unit() as unit:
        await unit.sessions.end("session-3", user_id=ALICE.id, reason=EndReason.LOGGED_OUT, now=NOW + 5)
        await unit.access_tokens.revoke("token-4", expires_at=LATER)
        await unit.access_tokens.revoke("token-4", expires_at=LATER)
        await unit.commit()
    asked = [token(f"token-{number}", sid=f"session-{number}") for number in range(20)]
    asked += [
        token("own"),
        token("foreign", sid="session-1", client_id="other"),
        token("lost", sid="nowhere"),
    ]
    statements: list[str] = []
    event.listen(
        database.reading_engine.sync_engine,
        "before_cursor_execute",
        lambda *facts: statements.append(facts[2]),
    )
    answers = await asyncio.gather(*map(live.owner, asked), return_exceptions=True)
    await database.close()
    told = {
        one.jti: answer.code if isinstance(answer, TokenRejected) else answer
        for one, answer in zip(asked, answers, strict=True)
    }
    dead = {"token-3", "token-4", "foreign", "lost"}
    assert {jti for jti, answer in told.items() if answer is RejectionCode.REVOKED} == dead
    assert told["own"] is None
    assert {answer for jti, answer in told.items() if jti not in {*dead, "own"}} == {ALICE.id}
    assert len(statements) == 2, "all of them form one batch"


async def test_what_ends_is_dead_at_the_next_question(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    live = LiveTokens(database)
    await with_sessions(database, 1)
    mine = token("token-0", sid="session-0")
    assert await live.owner(mine) == ALICE.id
    async with database.unit() as unit:
        await unit.sessions.end("session-0", user_id=ALICE.id, reason=EndReason.LOGGED_OUT, now=NOW + 5)
        await unit.commit()
    with pytest.raises(TokenRejected):
        await live.owner(mine)
    await database.close()
