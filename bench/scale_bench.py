"""Refreshes at scale: 32 connections over 20,000 and 1,000,000 sessions, two workers, a storm of sign-ins beside
them, and npm oidc-provider with its in-memory store in the same run.

Each connection goes round its own share of the sessions, so every refresh is the real successor of the one before in
its session. Sessions are made by one SQL statement; their first tokens are written with the server's own key.
"""

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context

import asyncpg

from bench.figures import Figure, at_least, at_most
from bench.load import Load, drive, form, post
from bench.provider import oidc_provider
from bench.server import PASSWORD, Databases, Server, serving
from mapae.server.app import opened
from mapae.server.settings import load_settings

CONNECTIONS = 32
FOR_S = 6
STORMS = 3
SESSIONS, MANY_SESSIONS = 20_000, 1_000_000
_NAME = b'"refresh_token":"'
Chains = dict[bytes, deque[bytes]]

#: Sessions of user0, who does not sign in meanwhile, with a family each, numbered in the first bytes of their ids.
SEED = """
WITH numbers AS (
    SELECT translate(encode(decode(lpad(to_hex(number), 18, '0'), 'hex'), 'base64'), '+/', '-_') AS id
    FROM generate_series({first}, {last}) number
), made AS (
    INSERT INTO sessions (id, user_id, client_id, created_at, authenticated_at, expires_at)
    SELECT numbers.id, users.id, 'mapae', extract(epoch FROM now())::bigint, extract(epoch FROM now())::bigint,
        extract(epoch FROM now())::bigint + 2592000
    FROM numbers, (SELECT id FROM users WHERE username = 'user0') users RETURNING id, created_at, expires_at
)
INSERT INTO families (id, session_id, client_id, first_party, binder_kind, audience, scope, expires_at, used_at,
    auth_time, turn, handed_out_at, known, late, late_replays, score, uses_attempts)
SELECT id, id, 'mapae', true, 'none', 'https://api.example.com', 'orders:read', expires_at, created_at,
    created_at, 0, created_at, false, false, 0, 0, false FROM made
"""


def measure(databases: Databases) -> Sequence[Figure]:
    """The figures, with their goals."""
    figures: list[Figure] = []
    url = databases.postgresql()
    with serving(url, MAPAE_REFRESH_GRACE="0") as server:
        chains = _seeded(server, url, 1, SESSIONS)
        load, cpu_us, commits = _round(server, url, chains)
        figures += _told("20,000 sessions, every refresh a turn", load)
        figures.append(at_most("  processor time of the server for each", cpu_us, 300, "µs"))
        figures.append(at_most("  statements for each", 2 * commits, 0.5, ""))
        figures.append(Figure("  commits for each", f"{commits:.3f}"))
        one_worker = load.per_s
        ratio = statistics.median(_stormed(server, url, chains) for _ in range(STORMS))
        figures.append(at_most("  p99 with all hashing threads busy, times as long", ratio, 2, ""))
        _seeded(server, url, SESSIONS + 1, MANY_SESSIONS)
        load, cpu_us, _ = _round(server, url, chains)
        figures += _told("the same among 1,000,000 sessions", load)
        figures.append(Figure("  processor time of the server for each", f"{cpu_us:.0f} µs"))
    with serving(databases.postgresql(), workers=2, MAPAE_REFRESH_GRACE="0") as server:
        load, _, _ = _round(server, url, _seeded(server, server.environ["MAPAE_DATABASE_URL"], 1, SESSIONS))
        figures += _told("20,000 sessions, two workers", load)
    provider = _provider_per_s()
    if provider is not None:
        figures.append(Figure("npm oidc-provider, in memory, the same connections", f"{provider:,.0f} /s"))
        figures.append(at_least("  one worker of ours, times as many", one_worker / provider, 2, ""))
    return figures


def _stormed(server: Server, url: str, chains: Chains) -> float:
    """How many times as long p99 is while all hashing threads are busy, one right after the other."""
    calm, _, _ = _round(server, url, chains)
    with _sign_ins(server):
        stormed, _, _ = _round(server, url, chains)
    return stormed.percentile_ms(0.99) / calm.percentile_ms(0.99)


def _told(what: str, load: Load) -> Sequence[Figure]:
    return [
        Figure(what, f"{load.per_s:,.0f} /s"),
        Figure("  p50", f"{load.percentile_ms(0.5):.1f} ms"),
        at_most("  p99", load.percentile_ms(0.99), 50, "ms"),
    ]


def _seeded(server: Server, url: str, first: int, last: int) -> Chains:
    """Sessions `first` to `last`, shared out among the connections: the current tokens of each."""

    async def run() -> Chains:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(SEED.format(first=first, last=last), timeout=300)
            await connection.execute("ANALYZE families; ANALYZE sessions; CHECKPOINT", timeout=300)
            ids = await connection.fetch(
                "SELECT id FROM families WHERE turn = 0 ORDER BY id LIMIT $1", SESSIONS
            )
        finally:
            await connection.close()
        async with opened(load_settings(server.environ)) as house:
            chains: Chains = {b"%02d" % number: deque() for number in range(CONNECTIONS)}
            for number, row in enumerate(ids):
                token = house.codec.write(row["id"], 0).reveal().encode()
                chains[b"%02d" % (number % CONNECTIONS)].append(token)
        return chains

    return asyncio.run(run())


def _round(server: Server, url: str, chains: Chains) -> tuple[Load, float, float]:
    """The load, the server's processor time for each in µs, and commits for each."""

    def successor(request: bytes, body: bytes) -> bytes:
        connection = request[request.index(b"X-Chain: ") + 9 :][:2]
        start = body.index(_NAME) + len(_NAME)
        chains[connection].append(body[start : body.index(b'"', start)])
        return _with_token(request, chains[connection].popleft())

    firsts = [
        _with_token(
            post("/auth/refresh", {"refresh_token": "x" * 68}, f"X-Chain: {connection.decode()}"),
            tokens.popleft(),
        )
        for connection, tokens in chains.items()
    ]
    commits, cpu_s = _commits(url), server.cpu_s()
    load = drive(server.port, firsts, successor, for_s=FOR_S)
    cpu_us = (server.cpu_s() - cpu_s) / len(load.latencies_s) * 1e6
    # The server's connections report what they counted once a second at most, and when they are idle.
    time.sleep(1.5)
    return load, cpu_us, (_commits(url) - commits) / len(load.latencies_s)


def _with_token(request: bytes, token: bytes) -> bytes:
    return request[: request.index(_NAME) + len(_NAME)] + token + b'"}'


def _commits(url: str) -> int:
    async def run() -> int:
        connection = await asyncpg.connect(url)
        try:
            query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            committed: int = await connection.fetchval(query)
            return committed
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def _sign_ins(server: Server) -> Iterator[None]:
    """Meanwhile, more sign-ins than the hashing threads can take; from a process of its own, as from elsewhere."""
    requests = [
        post("/auth/login", {"username": f"user{number}", "password": PASSWORD}) for number in range(1, 7)
    ]
    storm = get_context("spawn").Process(target=_sign_in_over_and_over, args=(server.port, requests))
    storm.start()
    try:
        yield
        if not storm.is_alive():
            raise RuntimeError("the storm of sign-ins ended before its time")
    finally:
        storm.terminate()
        storm.join()


def _sign_in_over_and_over(port: int, requests: Sequence[bytes]) -> None:
    drive(port, requests, lambda request, _: request, for_s=10 * FOR_S)


def _provider_per_s() -> float | None:
    """Refreshes per second of oidc-provider; None where it cannot be had."""
    with oidc_provider(CONNECTIONS) as provider:
        if provider is None:
            return None
        firsts = [_form(token) for token in provider.refresh_tokens]
        return drive(provider.port, firsts, _form_successor, for_s=FOR_S).per_s


def _form(token: str) -> bytes:
    return form("/token", f"grant_type=refresh_token&client_id=bench&refresh_token={token}")


def _form_successor(request: bytes, body: bytes) -> bytes:
    start = body.index(_NAME) + len(_NAME)
    return _form(body[start : body.index(b'"', start)].decode())
