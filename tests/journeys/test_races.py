"""Races on one refresh token against two real workers: one turn each, one answer for all, nobody logged out."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
from sqlalchemy import select, update

from mapae.client import FileStore, Session
from mapae.server.store import tables
from mapae.server.store.engine import Database, open_database
from tests.journeys.processes import environment
from tests.journeys.test_workers import PASSWORD, two_workers

CALLERS = 50
TURNS = 20
INSTANCE = {"Mapae-Instance": "an-installation-of-the-client"}

#: Refreshes when told to, without the lock that would keep the others out.
UNLOCKED = """
import sys
from contextlib import nullcontext
from pathlib import Path
from mapae.client import FileStore, Session
store = FileStore(Path(sys.argv[2]))
store.lock = lambda deadline_s: nullcontext()
session = Session.load(sys.argv[1], store=store)
rejected = session.token(min_life=0)
print("ready", flush=True)
sys.stdin.readline()
print(session.refresh(rejected))
"""


async def test_fifty_refreshes_of_one_token_twenty_turns_in_a_row(database_url: str, tmp_path: Path) -> None:
    database = open_database(database_url)
    limits = httpx.Limits(max_connections=CALLERS, max_keepalive_connections=0)
    with two_workers(database_url, tmp_path) as (_, url):
        async with httpx.AsyncClient(base_url=url, headers=INSTANCE, limits=limits, timeout=20) as http:

            async def refresh(token: str) -> str:
                answer = await http.post("/auth/refresh", json={"refresh_token": token})
                assert answer.status_code == 200, answer.text
                renewed: str = answer.json()["refresh_token"]
                return renewed

            login = await http.post("/auth/login", json={"username": "alice", "password": PASSWORD})
            token = login.json()["refresh_token"]
            for turn in range(1, TURNS + 1):
                (token,) = set(await asyncio.gather(*(refresh(token) for _ in range(CALLERS))))
                assert await turn_of(database) == turn
                await pass_time(database)
    await database.close()


async def test_eight_unlocked_processes_that_refresh_at_once_stay_signed_in(
    database_url: str, tmp_path: Path
) -> None:
    database = open_database(database_url)
    with two_workers(database_url, tmp_path) as (_, url):
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(url, "alice", PASSWORD, store=store)
        for turn in range(1, 4):
            await pass_time(database)
            tokens = await asyncio.to_thread(race, url, store)
            assert len(tokens) == 8
            assert await turn_of(database) == turn
        await pass_time(database)
        assert session.refresh()
    await database.close()


def race(url: str, store: FileStore) -> list[str]:
    """Eight processes, let go together: the access token each came home with."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UNLOCKED, url, store.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    printed = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        printed.append(out.strip())
    return printed


async def turn_of(database: Database) -> int:
    async with database.reading_engine.connect() as connection:
        turn: int = (await connection.scalars(select(tables.families.c.turn))).one()
        return turn


async def pass_time(database: Database) -> None:
    """Let a hundred seconds pass for every family, so that the next refresh is a turn."""
    async with database.writing.connect() as connection:
        moved = tables.families.c.handed_out_at - 100
        await connection.execute(update(tables.families).values(handed_out_at=moved))
        await connection.commit()
