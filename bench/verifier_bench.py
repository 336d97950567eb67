"""What a verifier costs: a token seen for the first time, one seen before, the ASGI middleware, imports.

    python bench/verifier_bench.py [rounds]

Every round times each contender once, in turn, so that a busy machine disturbs all of them alike; the figures are
medians. "raw" is the bare call into cryptography with everything prepared.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from mapae.integrations.asgi import BearerMiddleware, Message, Receive, Scope, Send
from mapae.jose import jws
from mapae.testing import Issuer

CALLS = 50
CACHED_CALLS = 2000
ISSUER = Issuer(audience="https://api.example.com")
TOKEN = ISSUER.token(subject="kX3vQ0m2Zt9A", scopes=["orders:read", "orders:write"], roles=["member"])

Measure = Callable[[], float]


def main(rounds: int) -> None:
    """Measure and print a table."""
    cold, warm = ISSUER.verifier(cache_size=0), ISSUER.verifier()
    microseconds = medians(
        {
            "raw ES256": called(raw_es256(), CALLS),
            "verify, first time": called(lambda: cold.verify(TOKEN), CALLS),
            "verify, cached": called(lambda: warm.verify(TOKEN), CACHED_CALLS),
            "averify, cached": awaited(lambda: warm.averify(TOKEN)),
            "ASGI middleware, cached": awaited(middleware()),
        },
        rounds,
    )
    milliseconds = medians(
        {
            statement: imported(statement)
            for statement in (
                "pass",
                "import mapae",
                "from mapae import Verifier",
                "import mapae.integrations.asgi",
            )
        },
        max(rounds // 5, 3),
    )
    print(f"{'':34}{'µs':>9}{'x raw':>9}")
    for name, value in microseconds.items():
        print(f"{name:34}{value:9.2f}{value / microseconds['raw ES256']:9.2f}")
    print(f"\n{'':34}{'ms':>9}")
    start_up = milliseconds.pop("pass")
    for name, value in milliseconds.items():
        print(f"{name:34}{value - start_up:9.1f}")


def raw_es256() -> Callable[[], object]:
    """The signature of `TOKEN`, checked by cryptography."""
    parts = jws.split(TOKEN)
    (key,) = ISSUER.keys
    r, s = (int.from_bytes(half) for half in (parts.signature[:32], parts.signature[32:]))
    der, scheme = utils.encode_dss_signature(r, s), ec.ECDSA(hashes.SHA256())
    return lambda: key.public_key.verify(der, parts.signing_input, scheme)


def middleware() -> Callable[[], object]:
    """A request through the middleware to an application that does nothing."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError(message)

    app = BearerMiddleware(application, ISSUER.verifier())
    usual = [
        (b"host", b"api.example.com"),
        (b"user-agent", b"x"),
        (b"accept", b"*/*"),
        (b"accept-encoding", b"gzip"),
    ]
    headers = [*usual, (b"authorization", f"Bearer {TOKEN}".encode())]
    scope: Scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    return lambda: app(scope, receive, send)


def called(call: Callable[[], object], calls: int) -> Measure:
    """Microseconds a call."""

    def measure() -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - begin) / calls * 1e6

    return measure


def awaited(call: Callable[[], object]) -> Measure:
    """Microseconds a call of a coroutine function that has nothing to wait for."""

    async def run() -> float:
        begin = time.perf_counter()
        for _ in range(CACHED_CALLS):
            await call()  # type: ignore[misc]
        return (time.perf_counter() - begin) / CACHED_CALLS * 1e6

    return lambda: asyncio.run(run())


def imported(statement: str) -> Measure:
    """Milliseconds for a process that does this and nothing else."""

    def measure() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return (time.perf_counter() - begin) * 1e3

    return measure


def medians(measures: dict[str, Measure], rounds: int) -> dict[str, float]:
    """The median of each measure over interleaved rounds."""
    seen: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            seen[name].append(measure())
    return {name: statistics.median(values) for name, values in seen.items()}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 31)
