"""A storm of forty clients while workers, server and database are killed: nobody is logged out.

Every refresh is a turn (`MAPAE_REFRESH_GRACE=0`). A client keeps the newest answer it received; what is lost on the
way it asks for again, with the same token and the same attempt value.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.journeys.processes import MAPAE, environment, free_port, mapae, started
from tests.postgres import throw_away_cluster

CLIENTS = 40
WORKERS = 2
#: Turns that all clients together make between two blows.
TURNS_BETWEEN = 200
PASSWORD = "correct horse battery staple"
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"


@dataclass
class Client:
    """One installation, with the newest refresh token it received."""

    http: httpx.AsyncClient
    refresh_token: str
    instance: str
    turns: int = 0
    lost: int = 0
    refused: list[str] = field(default_factory=list)

    async def refresh(self) -> None:
        """One turn, asked for until it is answered or refused."""
        headers = {"Mapae-Instance": self.instance, "Mapae-Attempt": secrets.token_urlsafe(16)}
        body = {"refresh_token": self.refresh_token}
        while True:
            try:
                answer = await self.http.post("/auth/refresh", json=body, headers=headers)
            except httpx.TransportError:
                self.lost += 1
                await asyncio.sleep(0.05)
                continue
            match answer.status_code:
                case 200:
                    self.turns += 1
                    self.refresh_token = answer.json()["refresh_token"]
                    return
                case 503:
                    await asyncio.sleep(0.1)
                case _:
                    self.refused.append(answer.text)
                    return


class Server:
    """`mapae serve` with two workers, and the means to kill it."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._environ = environ | {"MAPAE_ISSUER": self.issuer}
        self._log = log
        self._stack = ExitStack()

    def start(self) -> None:
        self._process = self._stack.enter_context(
            started(
                [MAPAE, "serve", "--port", str(self.port), "--workers", str(WORKERS)],
                environ=self._environ,
                ready=f"{self.issuer}/health/ready",
                log=self._log,
            )
        )

    def stop(self) -> None:
        self._stack.close()

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self._process.pid).children()
        alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
        return [child for child in alive if "spawn_main" in " ".join(child.cmdline())]

    def kill_a_worker(self) -> None:
        max(self.workers(), key=lambda worker: len(worker.net_connections())).kill()

    def kill_everything(self) -> None:
        for process in [psutil.Process(self._process.pid), *self.workers()]:
            os.kill(process.pid, signal.SIGKILL)
        self._process.wait()


@asynccontextmanager
async def clients_of(server: Server) -> AsyncIterator[list[Client]]:
    """Forty clients, each signed in with a connection of its own."""
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(CLIENTS):
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.issuer, timeout=10))
            instance = secrets.token_urlsafe(16)
            answer = await http.post(
                "/auth/login",
                json={"username": "alice", "password": PASSWORD},
                headers={"Mapae-Instance": instance},
            )
            assert answer.status_code == 200, answer.text
            clients.append(Client(http, answer.json()["refresh_token"], instance))
        yield clients


async def storm(server: Server, blows: dict[str, Callable[[], Awaitable[None]]]) -> None:
    """Let the clients refresh without pause while one blow after another falls; then see who is still signed in."""
    async with clients_of(server) as clients:
        over = asyncio.Event()

        async def go_on(client: Client) -> None:
            while not over.is_set() and not client.refused:
                await client.refresh()

        async def until_turns(turns: int) -> None:
            while sum(one.turns for one in clients) < turns and not any(one.refused for one in clients):
                await asyncio.sleep(0.01)

        running = [asyncio.create_task(go_on(client)) for client in clients]
        for number, (name, blow) in enumerate(blows.items(), start=1):
            await until_turns(number * TURNS_BETWEEN)
            await blow()
            print(f"{name}: {sum(client.lost for client in clients)} answers lost so far")
        await until_turns((len(blows) + 1) * TURNS_BETWEEN)
        over.set()
        await asyncio.gather(*running)
        for client in clients:
            await client.refresh()
        assert [client.refused for client in clients if client.refused] == []
        assert sum(client.lost for client in clients) > 0, "the blows hit nobody, so this showed nothing"


async def in_thread(*steps: Callable[[], object]) -> None:
    for step in steps:
        await asyncio.to_thread(step)


def serving(url: str, tmp_path: Path) -> Server:
    environ = environment(
        MAPAE_DATABASE_URL=url,
        MAPAE_SECRET_KEY=SECRET_KEY,
        MAPAE_REFRESH_GRACE="0",
        MAPAE_ARGON2_MEMORY_KIB="7168",
        MAPAE_ARGON2_TIME_COST="5",
    )
    server = Server(environ, tmp_path / "server.log")
    operator = environ | {"MAPAE_ISSUER": server.issuer}
    mapae("migrate", environ=operator)
    mapae("user", "create", "alice", "--password-stdin", environ=operator, text=f"{PASSWORD}\n")
    server.start()
    return server


async def test_a_storm_on_postgresql(tmp_path: Path) -> None:
    with throw_away_cluster() as cluster:
        server = serving(cluster.url(), tmp_path)
        try:
            await storm(
                server,
                {
                    "a worker was killed": lambda: in_thread(server.kill_a_worker),
                    "the database stopped at once": lambda: in_thread(cluster.stop, cluster.start),
                    "everything was killed": lambda: in_thread(server.kill_everything, server.start),
                    "database and a worker at once": lambda: in_thread(
                        cluster.stop, server.kill_a_worker, cluster.start
                    ),
                },
            )
        finally:
            server.stop()


async def test_a_storm_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    server = serving(sqlite_url, tmp_path)
    try:
        await storm(
            server,
            {
                "a worker was killed": lambda: in_thread(server.kill_a_worker),
                "everything was killed": lambda: in_thread(server.kill_everything, server.start),
            },
        )
    finally:
        server.stop()
