"""Many processes, threads and tasks on one store, with tokens of two seconds: nobody is told to sign in.

The full size of it, with more that goes wrong, is `python -m bench.client_storm`.
"""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from mapae.client import FileStore, Session
from tests.journeys.client_storm import Crowd, Storm, proxied, weather
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started

PASSWORD = "correct horse battery staple"
CROWD = Crowd(processes=4, threads=3, tasks=5, seconds=6)
SETUP = f"""
[[users]]
username = "alice"
password = "{PASSWORD}"

[[resource_servers]]
audience = "https://api.example.com"
"""


@dataclass(frozen=True)
class Server:
    """Where a real server listens."""

    port: int


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """A server whose access tokens live two seconds and whose every refresh is a turn."""
    folder, port = tmp_path_factory.mktemp("storm"), free_port()
    database = folder / "mapae.db"
    database.write_bytes(sqlite_template.read_bytes())
    environ = environment(
        MAPAE_ISSUER=f"http://127.0.0.1:{port}",
        MAPAE_DATABASE_URL=f"sqlite:///{database}",
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        MAPAE_ACCESS_TOKEN_LIFE="2",
        MAPAE_REFRESH_GRACE="0",
    )
    setup = folder / "setup.toml"
    setup.write_text(SETUP)
    mapae("apply", str(setup), environ=environ)
    command = (MAPAE, "serve", "--port", str(port))
    ready = f"http://127.0.0.1:{port}/health/ready"
    with started(command, environ=environ, ready=ready, log=folder / "log"):
        yield Server(port)


def test_processes_killed_and_answers_lost_sign_nobody_out(server: Server, tmp_path: Path) -> None:
    path, dice, last = tmp_path / "home" / "session.json", random.Random(11), time.monotonic()

    def kill_now_and_then(storm: Storm) -> None:
        nonlocal last
        if time.monotonic() - last > 0.7 and time.time() < storm.until - 1:
            last = time.monotonic()
            storm.kill_one(dice)

    with ExitStack() as stack:
        proxy = stack.enter_context(proxied(server.port, cut_share=0.2))
        issuer = f"http://127.0.0.1:{proxy.port}"
        Session.login(issuer, "alice", PASSWORD, store=FileStore(path))
        seen = weather(CROWD, issuer, path, meanwhile=kill_now_and_then)
        proxy.cut_share = 0
        assert Session.load(issuer, store=FileStore(path)).refresh()

    assert seen.sign_outs == 0, seen
    assert seen.outcomes["over"] == 0, seen
    assert seen.outcomes["token"] > 100, seen
    assert seen.killed > 0, seen
    # A token of two seconds is renewed when one second is left. Killed processes and lost answers ask once more.
    assert proxy.refreshes - 2 * proxy.cut - seen.killed <= CROWD.seconds + 2, (proxy.refreshes, seen)


def test_a_clock_an_hour_off_that_is_put_right_and_wrong_signs_nobody_out(
    server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "home" / "session.json"
    with proxied(server.port) as proxy:
        issuer = f"http://127.0.0.1:{proxy.port}"
        Session.login(issuer, "alice", PASSWORD, store=FileStore(path))
        seen = weather(Crowd(2, 2, 2, seconds=4, clock_off_s=3600), issuer, path)

    assert set(seen.outcomes) == {"token"}, seen
    assert proxy.refreshes <= 8, proxy.refreshes
