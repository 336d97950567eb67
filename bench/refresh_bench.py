"""Refreshes: 32 connections, each with its own chain of real successors; and pgbench with the same one-row update."""

import asyncio
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bench.figures import Figure
from bench.load import Load, ask, drive, post
from bench.server import PASSWORD, USERS, Databases, Server, pgbench, serving

CONNECTIONS = 32
FOR_S = 8
_NAME = b'"refresh_token":"'
PGBENCH_S = 5

#: What a turn writes, for each client of pgbench on a row of its own.
UPDATE = (
    "UPDATE families SET turn = turn + 1, used_at = used_at + 1, handed_out_at = handed_out_at + 1,"
    " known = false, address = '127.0.0.1' WHERE id = 'bench' || :client_id;"
)
ROWS = (
    "INSERT INTO families SELECT (jsonb_populate_record(one, jsonb_build_object('id', 'bench' || number))).*"
    f" FROM (SELECT families AS one FROM families LIMIT 1) _, generate_series(0, {CONNECTIONS - 1}) number"
)


def measure(databases: Databases) -> Sequence[Figure]:
    """Refreshes per second on both databases: every one a turn, and with the default grace."""
    figures: list[Figure] = []
    with serving(databases.sqlite(), MAPAE_REFRESH_GRACE="0") as server:
        figures += _told("SQLite, every refresh a turn", *_load(server))
    url = databases.postgresql()
    with serving(url, MAPAE_REFRESH_GRACE="0") as server:
        load, cpu_us = _load(server)
        figures += _told("PostgreSQL, every refresh a turn", load, cpu_us)
    figures += _written(url, load)
    limit = _pgbench_per_s(url)
    if limit is not None:
        figures.append(Figure("  pgbench, the same update by 32 clients", f"{limit:,.0f} /s"))
        figures.append(Figure("  refreshes as a share of that", f"{load.per_s / limit * 100:.3g} %"))
    with serving(databases.postgresql()) as server:
        figures += _told("PostgreSQL, default grace (the same token again)", *_load(server))
    return figures


def _load(server: Server) -> tuple[Load, float]:
    """The load, and the processor time of the server for one refresh, in microseconds."""
    logins = [
        post("/auth/login", {"username": f"user{number % USERS}", "password": PASSWORD}, _instance(number))
        for number in range(CONNECTIONS)
    ]
    tokens = [answer["refresh_token"] for answer in ask(server.port, logins)]
    firsts = [
        post("/auth/refresh", {"refresh_token": token}, _instance(number))
        for number, token in enumerate(tokens)
    ]
    before_s = server.cpu_s()
    load = drive(server.port, firsts, _successor, for_s=FOR_S)
    return load, (server.cpu_s() - before_s) / len(load.latencies_s) * 1e6


def _instance(number: int) -> str:
    return f"Mapae-Instance: installation-of-the-load-{number:02}"


def _successor(request: bytes, body: bytes) -> bytes:
    """The same request with the token that came: both have one length."""
    start = body.index(_NAME) + len(_NAME)
    return request[: request.index(_NAME) + len(_NAME)] + body[start : body.index(b'"', start)] + b'"}'


def _told(what: str, load: Load, cpu_us: float) -> Sequence[Figure]:
    return [
        Figure(what, f"{load.per_s:,.0f} /s"),
        Figure("  p50 and p99", f"{load.percentile_ms(0.5):.1f} and {load.percentile_ms(0.99):.1f} ms"),
        Figure("  processor time of the server for each", f"{cpu_us:.0f} µs"),
    ]


def _written(url: str, load: Load) -> Sequence[Figure]:
    """What PostgreSQL counted, once the server's connections are closed and their counts are in."""
    (row,) = _query(
        url,
        "SELECT n_tup_upd, n_tup_hot_upd, xact_commit FROM pg_stat_user_tables, pg_stat_database"
        " WHERE relname = 'families' AND datname = current_database()",
    )
    refreshes = len(load.latencies_s)
    return [
        Figure("  rows written for each", f"{row['n_tup_upd'] / refreshes:.3f}"),
        Figure(
            "  of them without touching an index", f"{row['n_tup_hot_upd'] / row['n_tup_upd'] * 100:.1f} %"
        ),
        Figure("  refreshes that share a commit", f"{refreshes / row['xact_commit']:.1f}"),
    ]


def _pgbench_per_s(url: str) -> float | None:
    program = pgbench()
    if program is None:
        return None
    _query(url, ROWS)
    with TemporaryDirectory() as folder:
        script = Path(folder, "update.sql")
        script.write_text(UPDATE)
        done = subprocess.run(
            [
                program, "--no-vacuum", "--protocol=prepared", f"--client={CONNECTIONS}", "--jobs=2",
                f"--time={PGBENCH_S}", f"--file={script}", url,
            ],
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return float(found[1])


def _query(url: str, statement: str) -> Sequence[asyncpg.Record]:
    async def run() -> Sequence[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            rows: Sequence[asyncpg.Record] = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    return asyncio.run(run())
