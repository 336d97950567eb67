"""What a verifier costs: a token seen for the first time, one seen before, the ASGI middleware, imports, memory.

    python bench/verifier_bench.py [rounds]

Every round times each contender once, in turn, so that a busy machine disturbs all of them alike; the figures are
medians. "raw" is the bare call into cryptography with everything prepared.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from mapae.integrations.asgi import BearerMiddleware, Message, Receive, Scope, Send
from mapae.jose import jws
from mapae.testing import Issuer
from mapae.verifier import Verifiers

CALLS = 50
CACHED_CALLS = 2000
IMPORTS = (
    "pass",
    "import cryptography.hazmat.primitives.asymmetric.ec",
    "import mapae",
    "from mapae import Verifier",
    "import mapae.integrations.asgi",
)
AUDIENCE = "https://api.example.com"
ISSUER = Issuer(audience=AUDIENCE)

Measure = Callable[[], float]


def login_token(issuer: Issuer) -> str:
    """A token like those of the server."""
    return issuer.token(subject="kX3vQ0m2Zt9A", scopes=["orders:read", "orders:write"], roles=["member"])


TOKEN = login_token(ISSUER)


def main(rounds: int) -> None:
    """Measure and print three tables."""
    warm = ISSUER.verifier()
    several = Verifiers(ISSUER.verifier(), ISSUER.verifier(issuer="https://other.test"))
    signatures: dict[str, Measure] = {}
    for algorithm in ("ES256", "EdDSA", "RS256"):
        raw, cold = first_time(algorithm)
        signatures |= {f"{algorithm}, raw": called(raw, CALLS), algorithm: called(cold, CALLS)}
    checks = medians(signatures, rounds)
    microseconds = medians(
        {
            "verify, cached": called(lambda: warm.verify(TOKEN), CACHED_CALLS),
            "verify, cached, of two issuers": called(lambda: several.verify(TOKEN), CACHED_CALLS),
            "averify, cached": awaited(lambda: warm.averify(TOKEN)),
            "ASGI middleware, cached": awaited(middleware()),
        },
        rounds,
    )
    with TemporaryDirectory() as bytecode:
        milliseconds = medians(
            {statement: imported(statement, bytecode) for statement in IMPORTS}, max(rounds // 5, 3)
        )
    print(f"{'a token seen for the first time':52}{'raw µs':>9}{'µs':>9}{'x':>6}")
    for algorithm in ("ES256", "EdDSA", "RS256"):
        raw_us, ours_us = checks[f"{algorithm}, raw"], checks[algorithm]
        print(f"{algorithm:52}{raw_us:9.1f}{ours_us:9.1f}{ours_us / raw_us:6.2f}")
    print(f"\n{'':52}{'µs':>9}")
    for name, value in microseconds.items():
        print(f"{name:52}{value:9.2f}")
    print(f"\n{'':52}{'ms':>9}")
    start_up = milliseconds.pop("pass")
    for name, value in milliseconds.items():
        print(f"{name:52}{value - start_up:9.1f}")
    print(f"\na cached token of {len(TOKEN)} bytes takes {cached_bytes()} bytes of memory")


def first_time(algorithm: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """The bare check of a signature, and `verify` of the same token without the cache."""
    issuer = Issuer(audience=AUDIENCE, algorithm=algorithm)
    token = login_token(issuer)
    (key,) = issuer.keys
    public, parts, verifier = key.public_key, jws.split(token), issuer.verifier(cache_size=0)
    data, signature, digest = parts.signing_input, parts.signature, hashes.SHA256()

    def verify() -> object:
        return verifier.verify(token)

    match algorithm:
        case "ES256":
            r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
            der, scheme = utils.encode_dss_signature(r, s), ec.ECDSA(digest)
            return lambda: public.verify(der, data, scheme), verify
        case "RS256":
            fill = padding.PKCS1v15()
            return lambda: public.verify(signature, data, fill, digest), verify
        case _:
            return lambda: public.verify(signature, data), verify


def cached_bytes() -> int:
    """What a verifier holds on to for each token that it remembers, the text of the token included."""
    count = 1000
    verifier = ISSUER.verifier()
    verifier.verify(TOKEN)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(count):
        verifier.verify(login_token(ISSUER))
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) // count


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


def imported(statement: str, bytecode: str) -> Measure:
    """Milliseconds for a process that does this and nothing else, with its bytecode in a folder as when installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ = {**kept, "PYTHONPYCACHEPREFIX": bytecode}

    def run() -> None:
        subprocess.run([sys.executable, "-c", statement], check=True, env=environ)

    def measure() -> float:
        begin = time.perf_counter()
        run()
        return (time.perf_counter() - begin) * 1e3

    run()
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
