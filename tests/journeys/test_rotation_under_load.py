"""Keys rotate every few seconds under logins, refreshes and verifications, and nobody notices.

Two workers of a real server; three processes that verify, two with threads and one with asyncio, their clocks a
minute apart; clients that sign in and refresh all the time. Each token is verified by all three when it is new, and
again later on, when its key may have gone on to retire.
"""

import asyncio
import collections
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from mapae.jose import jws
from tests.journeys.processes import MAPAE, ROOT, environment, free_port, mapae, started

PASSWORD = "correct horse battery staple"
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
AUDIENCE = "https://api.example.com"
#: A key stands in the key set for this long, in seconds, before it signs; and signs for as long.
JWKS_LIFE_S, MARGIN_S = 1, 7
#: Keys age so much faster in the verifiers: their cool-down of 30 s becomes 3.
SPEED = 10
ROTATIONS = 2
CLIENTS = 4
#: Tokens that are issued between two verifications of one.
LATER = 60

SETUP = f"""
[[users]]
username = "alice"
password = "{PASSWORD}"

[[resource_servers]]
audience = "{AUDIENCE}"
scopes = ["orders:read"]
"""


@dataclass
class VerifyingProcess:
    """What one process said of the tokens it was given."""

    process: asyncio.subprocess.Process
    sent: int = 0
    answers: collections.Counter[str] = field(default_factory=collections.Counter)

    async def verify(self, token: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{token}\n".encode())
        await self.process.stdin.drain()
        self.sent += 1

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.answers[line.decode().strip()] += 1

    async def finish(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert await self.process.wait() == 0


@asynccontextmanager
async def verifying(kind: str, issuer: str, clock_off_s: float) -> AsyncIterator[VerifyingProcess]:
    arguments = [kind, issuer, AUDIENCE, str(SPEED), str(clock_off_s)]
    made = VerifyingProcess(
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.journeys.verifying", *arguments,
            cwd=ROOT, env=environment(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
    )  # fmt: skip
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        if made.process.returncode is None:
            made.process.kill()
            await made.process.wait()
        await listening


@dataclass
class Load:
    """What all clients together got, and passed on to the verifiers."""

    issuer: str
    verifiers: list[VerifyingProcess]
    signed_by: set[str] = field(default_factory=set)
    issued: int = 0
    refused: list[str] = field(default_factory=list)
    earlier: collections.deque[str] = field(default_factory=collections.deque)

    async def client(self, over: asyncio.Event) -> None:
        """Sign in, refresh ten times, and again."""
        async with httpx.AsyncClient(base_url=self.issuer, timeout=20) as http:
            while not over.is_set():
                body = {"username": "alice", "password": PASSWORD}
                answer = await http.post("/auth/login", json=body)
                for _ in range(10):
                    if answer.status_code != 200 or over.is_set():
                        break
                    await self.check(answer.json()["access_token"])
                    body = {"refresh_token": answer.json()["refresh_token"]}
                    answer = await http.post("/auth/refresh", json=body)
                    await asyncio.sleep(0.05)
                if answer.status_code != 200:
                    self.refused.append(answer.text)

    async def check(self, token: str) -> None:
        self.issued += 1
        self.signed_by.add(str(jws.split(token).header["kid"]))
        self.earlier.append(token)
        for verifier in self.verifiers:
            await verifier.verify(token)
            if len(self.earlier) > LATER:
                await verifier.verify(self.earlier[0])
        if len(self.earlier) > LATER:
            self.earlier.popleft()


@pytest.fixture
def issuer(database_url: str, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    environ = environment(
        MAPAE_ISSUER=issuer,
        MAPAE_DATABASE_URL=database_url,
        MAPAE_SECRET_KEY=SECRET_KEY,
        MAPAE_ACCESS_TOKEN_LIFE="10",
        MAPAE_JWKS_LIFE=str(JWKS_LIFE_S),
        MAPAE_KEY_MARGIN=str(MARGIN_S),
        MAPAE_KEY_ROTATION=str(JWKS_LIFE_S + MARGIN_S),
        MAPAE_REFRESH_GRACE="0",
        MAPAE_ARGON2_MEMORY_KIB="7168",
        MAPAE_ARGON2_TIME_COST="5",
    )
    (tmp_path / "setup.toml").write_text(SETUP)
    mapae("apply", str(tmp_path / "setup.toml"), environ=environ)
    serve: list[str | Path] = [MAPAE, "serve", "--port", str(port), "--workers", "2"]
    with started(serve, environ=environ, ready=f"{issuer}/health/ready", log=tmp_path / "log"):
        yield issuer


async def test_keys_rotate_under_load_and_nobody_notices(issuer: str) -> None:
    async with AsyncExitStack() as stack:
        verifiers = [
            await stack.enter_async_context(verifying(kind, issuer, off_s))
            for kind, off_s in (("threads", -30), ("threads", 0), ("asyncio", 30))
        ]
        load, over = Load(issuer, verifiers), asyncio.Event()
        async with asyncio.TaskGroup() as group, asyncio.timeout(120):
            for _ in range(CLIENTS):
                group.create_task(load.client(over))
            while len(load.signed_by) <= ROTATIONS and not load.refused:
                await asyncio.sleep(0.1)
            over.set()
        for verifier in verifiers:
            await verifier.finish()
    print(
        f"{load.issued} tokens by {len(load.signed_by)} keys, verified {sum(one.sent for one in verifiers)} times"
    )
    assert load.refused == []
    for verifier in verifiers:
        assert verifier.answers == {"ok": verifier.sent}
