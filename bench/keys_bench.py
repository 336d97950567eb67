"""What a signature costs: raw cryptography, the ring's signer, a whole access token; interleaved rounds, medians.

    python bench/keys_bench.py [rounds]

Every round times each contender once, in turn, so that a busy machine disturbs all of them alike. "raw" is the bare
call into cryptography with everything prepared, on a key of the same kind. The ring is one on a fresh SQLite file;
how often it opened a private key is counted and printed.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from mapae.clock import monotonic_clock, system_clock
from mapae.entropy import system_entropy
from mapae.jose import base64url
from mapae.oauth.scope import Scope
from mapae.server.actions.key_ring import KeyRing
from mapae.server.actions.mint import Mint
from mapae.server.actions.rotate_keys import RotateKeys
from mapae.server.adapters.key_holders import LocalSigner, SealedKeys
from mapae.server.adapters.sealing import Sealer
from mapae.server.domain.keys import SIGNING_ALGORITHMS, Key, Lives
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.store.engine import open_database
from mapae.server.store.migrations import upgrade

CALLS = 50
SECRET_KEY = b"k" * 32
ISSUER = "https://auth.example.com"
SCOPE = Scope.of(["orders:read", "orders:write"])


class Counting(SealedKeys):
    """Counts how often a private key is opened."""

    opened = 0

    def signer(self, key: Key) -> LocalSigner:
        """See `KeyHolder`."""
        self.opened += 1
        return super().signer(key)


async def main(rounds: int) -> None:
    """Measure and print a table, in microseconds a call and as a multiple of the raw one."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'bench.db'}", create=True)
        await upgrade(database)
        async with database.unit() as unit:
            for algorithm in SIGNING_ALGORITHMS:
                await unit.resource_servers.add(ResourceServer(audience_of(algorithm), (), algorithm))
            await unit.commit()
        sealed = Counting(SECRET_KEY, Sealer(SECRET_KEY, system_entropy), system_entropy)
        lives = Lives(2592000, ahead_s=420, linger_s=420)
        ring = KeyRing(
            RotateKeys(database, sealed, sealed, lives, lives), [sealed], monotonic=monotonic_clock
        )
        await ring.look()
        print(f"{'µs':8}{'raw':>9}{'signer':>9}{'x':>6}{'token':>9}{'x':>6}")
        for algorithm in SIGNING_ALGORITHMS:
            raw, signer, token = await medians(contenders(ring, algorithm), rounds)
            print(f"{algorithm:8}{raw:9.1f}{signer:9.1f}{signer / raw:6.2f}{token:9.1f}{token / raw:6.2f}")
        print(f"private keys opened: {sealed.opened}, for {len(SIGNING_ALGORITHMS)} keys")
        await database.close()


def audience_of(algorithm: str) -> str:
    """The resource server that asks for it."""
    return f"https://{algorithm.lower()}.example.com"


def contenders(ring: KeyRing, algorithm: str) -> list[Callable[[], Awaitable[object]]]:
    """A raw signature, the signer's, and a token."""
    audience = audience_of(algorithm)
    mint = Mint(ISSUER, 300, ring, system_clock, system_entropy)
    key = ring.signing(audience)
    assert isinstance(key.signer, LocalSigner)
    assert key.algorithm == algorithm
    sign, data = raw_of(algorithm, key.signer.key.private_key), base64url.encode(bytes(300)).encode()

    async def raw() -> object:
        return sign(data)

    async def signed() -> object:
        return await ring.signing(audience).signer.sign(data)

    async def token() -> object:
        return await mint.access_token(
            subject="kX3vQ0m2Zt9A",
            audience=audience,
            client_id="mapae",
            scope=SCOPE,
            session_id="pB7nE4sJx0Ku",
            auth_time=1767225600,
            roles=("member",),
        )

    return [raw, signed, token]


def raw_of(algorithm: str, key: Any) -> Callable[[bytes], bytes]:
    """The bare call into cryptography."""
    digest = hashes.SHA256()
    pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
    pkcs1, ecdsa = padding.PKCS1v15(), ec.ECDSA(digest)
    calls: dict[str, Callable[[bytes], bytes]] = {
        "ES256": lambda data: key.sign(data, ecdsa),
        "RS256": lambda data: key.sign(data, pkcs1, digest),
        "PS256": lambda data: key.sign(data, pss, digest),
        "EdDSA": key.sign,
    }
    return calls[algorithm]


async def medians(calls: list[Callable[[], Awaitable[object]]], rounds: int) -> list[float]:
    """Microseconds a call, the median of each over interleaved rounds."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, seen in zip(calls, times, strict=True):
            begin = time.perf_counter()
            for _ in range(CALLS):
                await call()
            seen.append((time.perf_counter() - begin) / CALLS * 1e6)
    return [statistics.median(seen) for seen in times]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 31))
