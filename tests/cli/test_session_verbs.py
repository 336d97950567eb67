"""`mapae session` and `mapae user sessions`: the operator sees sessions, why they ended, and ends one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mapae.entropy import system_entropy
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.ids import new_id
from mapae.server.domain.sessions import Session
from mapae.server.domain.users import User
from mapae.server.store.engine import open_database
from tests.journeys.processes import environment

MAPAE = Path(sys.executable).with_name("mapae")
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"


@pytest.fixture
async def environ(database_url: str) -> dict[str, str]:
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
    return environment(
        MAPAE_ISSUER="https://auth.example.com", MAPAE_DATABASE_URL=database_url, MAPAE_SECRET_KEY=SECRET_KEY
    )


def mapae(environ: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([MAPAE, *arguments], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def listed(environ: dict[str, str], *arguments: str) -> dict[str, dict[str, object]]:
    code, out, err = mapae(environ, *arguments, "--json")
    assert (code, err) == (0, "")
    return {row["device_name"]: row for row in json.loads(out)}


async def test_the_live_sessions_are_listed_with_their_users(environ: dict[str, str]) -> None:
    rows = listed(environ, "session", "list")
    assert {name: row["username"] for name, row in rows.items()} == {"phone": "alice", "tablet": "bob"}
    assert rows["phone"]["reason"] is None
    assert set(listed(environ, "session", "list", "--user", "ALICE")) == {"phone"}
    assert set(listed(environ, "user", "sessions", "alice")) == {"phone"}


async def test_why_a_session_ended_has_an_answer(environ: dict[str, str]) -> None:
    assert mapae(environ, "session", "end", "phone-------")[:2] == (0, "ended phone-------\n")
    assert mapae(environ, "user", "disable", "bob")[0] == 0
    rows = listed(environ, "session", "list", "--ended")
    assert {name: row["reason"] for name, row in rows.items()} == {
        "phone": "revoked_by_admin",
        "laptop": "expired",
        "tablet": "user_disabled",
    }
    assert all(row["ended_at"] for row in rows.values())
    assert listed(environ, "session", "list") == {}
    code, out, _ = mapae(environ, "session", "list", "--ended", "--user", "alice")
    assert code == 0
    assert "revoked_by_admin" in out
    assert "tablet" not in out


async def test_ending_what_is_not_live_is_refused_with_what_to_do(environ: dict[str, str]) -> None:
    mapae(environ, "session", "end", "phone-------")
    for session_id in ("not-there-12", "phone-------"):
        code, out, err = mapae(environ, "session", "end", session_id)
        assert (code, out) == (1, "")
        assert err == f"mapae: there is no live session {session_id}; see: mapae session list\n"
