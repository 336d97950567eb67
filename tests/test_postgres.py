"""The databases of the tests themselves: fresh each time, durable, and gone afterwards."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import text

from mapae.server.store.engine import open_database
from tests.postgres import throw_away_cluster


async def _tables(url: str) -> int:
    database = open_database(url, create=True)
    catalogue = "sqlite_master WHERE type = 'table'" if url.startswith("sqlite") else "pg_stat_user_tables"
    try:
        async with database.reading_engine.connect() as connection:
            return int((await connection.execute(text(f"SELECT count(*) FROM {catalogue}"))).scalar_one())
    finally:
        await database.close()


async def test_an_empty_database_is_empty(empty_database_url: str) -> None:
    assert await _tables(empty_database_url) == 0


async def test_a_database_has_the_schema(database_url: str) -> None:
    assert await _tables(database_url) > 1


@pytest.mark.parametrize("table", ["left", "right"])
async def test_one_test_does_not_see_what_another_made(empty_postgresql_url: str, table: str) -> None:
    connection = await asyncpg.connect(empty_postgresql_url)
    await connection.execute(f'CREATE TABLE "{table}" ()')
    assert await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables") == 1
    await connection.close()


def test_what_a_cluster_acknowledged_survives_its_crash() -> None:
    with throw_away_cluster() as cluster:
        _run(cluster.url(), lambda connection: connection.execute("CREATE TABLE kept ()"))
        cluster.restart()
        _run(cluster.url(), lambda connection: connection.execute("TABLE kept"))
    assert not cluster.folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_cluster_dies_with_its_maker() -> None:
    script = """
from tests.postgres import throw_away_cluster
with throw_away_cluster() as cluster:
    print(cluster.folder, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdout is not None
        folder = Path(maker.stdout.readline().strip())
        server = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
        os.kill(maker.pid, signal.SIGKILL)
        server.wait(timeout=30)
    assert not server.is_running()
    shutil.rmtree(folder)


def _run(url: str, work: Callable[[asyncpg.Connection], Awaitable[object]]) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        await work(connection)
        await connection.close()

    asyncio.run(run())
