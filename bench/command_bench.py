"""The command: how soon a server is ready, what an idle worker holds, how long a shell prompt waits for a token."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, at_most
from bench.load import ask, post
from bench.server import PASSWORD, Databases, Server, serving
from tests.journeys.processes import MAPAE, free_port, mapae, started

MIB = 1024 * 1024


def measure(databases: Databases) -> Sequence[Figure]:
    """All figures of the command, on PostgreSQL."""
    with serving(databases.postgresql(), workers=2) as server:
        idle = max(worker.memory_info().rss for worker in server.workers()) / MIB
        (tokens,) = ask(server.port, [post("/auth/login", {"username": "user0", "password": PASSWORD})])
        return [
            at_most("start to ready", _start_s(server), 2, "s"),
            at_most("resident memory of an idle worker", idle, 120, "MiB"),
            at_most("mapae token, with a valid token in the store", _token_ms(server), 60, "ms"),
            Figure("  of it: a Python interpreter that does nothing", f"{_nothing_ms():.4g} ms"),
            at_most("access token of a sign-in", len(tokens["access_token"]), 500, "bytes"),
        ]


def _start_s(server: Server, rounds: int = 5) -> float:
    taken = []
    with TemporaryDirectory() as folder:
        for _ in range(rounds):
            port = free_port()
            command = (MAPAE, "serve", "--port", str(port))
            ready = f"http://127.0.0.1:{port}/health/ready"
            began = time.perf_counter()
            with started(command, environ=server.environ, ready=ready, log=Path(folder, "log")):
                taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _token_ms(server: Server, rounds: int = 20) -> float:
    with TemporaryDirectory() as home:
        environ = {**server.environ, "MAPAE_HOME": home}
        mapae("login", server.url, "--username", "user0", "--password-stdin", environ=environ, text=PASSWORD)
        return _median_ms([str(MAPAE), "token"], environ, rounds)


def _nothing_ms(rounds: int = 20) -> float:
    return _median_ms([sys.executable, "-c", ""], None, rounds)


def _median_ms(command: list[str], environ: dict[str, str] | None, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000
