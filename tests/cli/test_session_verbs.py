"""`mapae session` and `mapae user sessions`: the operator sees sessions, why they ended, and ends one."""

import json

import pytest

from mapae.entropy import system_entropy
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.ids import new_id
from mapae.server.domain.sessions import Session
from mapae.server.domain.users import User
from mapae.server.store.engine import open_database
from tests.cli.operating import Operator, operator_of


@pytest.fixture
async def operator(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """Alice with a session on her phone and one on her laptop, which has run out; Bob with one."""
    database = open_database(database_url)
    async with database.unit() as unit:
        now = await unit.now()
        for username, devices in (("alice", ("phone", "laptop")), ("bob", ("tablet",))):
            user = User(new_id(system_entropy), username, username, None, (), now)
            await unit.users.add(user)
            for device in devices:
                ends = now - 60 if device == "laptop" else now + 5000
                session = Session(
                    f"{device:-<12}",
                    user.id,
                    "mapae",
                    now - 600,
                    ends,
                    now - 600,
                    device,
                    "192.0.2.1",
                    "test",
                )
                await unit.sessions.add(session)
                await unit.families.add(
                    Family(
                        new_id(system_entropy),
                        session.id,
                        "mapae",
                        True,
                        Binder(),
                        "aud",
                        "",
                        ends,
                        now - 600,
                        now - 600,
                    )
                )
        await unit.commit()
    await database.close()
    return operator_of(database_url, monkeypatch, capsys)


def listed(operator: Operator, *arguments: str) -> dict[str, dict[str, object]]:
    return {row["device_name"]: row for row in json.loads(operator.run(*arguments, "--json").out)}


def test_the_live_sessions_are_listed_with_their_users(operator: Operator) -> None:
    rows = listed(operator, "session", "list")
    assert {name: row["username"] for name, row in rows.items()} == {"phone": "alice", "tablet": "bob"}
    assert rows["phone"]["reason"] is None
    assert set(listed(operator, "session", "list", "--user", "ALICE")) == {"phone"}
    assert set(listed(operator, "user", "sessions", "alice")) == {"phone"}


def test_why_a_session_ended_has_an_answer(operator: Operator) -> None:
    assert operator.run("session", "end", "phone-------").out == "ended phone-------\n"
    operator.run("user", "disable", "bob")
    rows = listed(operator, "session", "list", "--ended")
    assert {name: row["reason"] for name, row in rows.items()} == {
        "phone": "revoked_by_admin",
        "laptop": "expired",
        "tablet": "user_disabled",
    }
    assert all(row["ended_at"] for row in rows.values())
    assert listed(operator, "session", "list") == {}
    said = operator.run("session", "list", "--ended", "--user", "alice")
    assert "revoked_by_admin" in said.out
    assert "tablet" not in said.out


def test_ending_what_is_not_live_is_refused_with_what_to_do(operator: Operator) -> None:
    operator.run("session", "end", "phone-------")
    for session_id in ("not-there-12", "phone-------", "-h0123456789"):
        said = operator.run("session", "end", session_id, code=1)
        assert said.out == ""
        assert said.err == f"mapae: there is no live session {session_id}; see: mapae session list\n"
