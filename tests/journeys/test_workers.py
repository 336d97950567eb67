"""Several workers on one port: one signing key, one database, and each can be lost."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from mapae.jose import base64url
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started, until

PASSWORD = "correct horse battery staple"
PATIENCE_S = 20


@contextmanager
def two_workers(database_url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server of two workers with one user, and its URL."""
    url = f"http://127.0.0.1:{free_port()}"
    environ = environment(
        MAPAE_ISSUER=url,
        MAPAE_DATABASE_URL=database_url,
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        MAPAE_LOG_FORMAT="json",
    )
    mapae("user", "create", "alice", "--password-stdin", environ=environ, text=f"{PASSWORD}\n")
    command = (MAPAE, "serve", "--port", url.rpartition(":")[2], "--workers", "2")
    with started(command, environ=environ, ready=f"{url}/health/ready", log=folder / "log") as process:
        until(lambda: len(ready_workers(folder)) == 2)
        yield process, url


def ready_workers(folder: Path) -> set[int]:
    """The processes that ever said that they had started; both start before either is ready."""
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]
    ready = [line for line in lines if line["event"] == "Application startup complete."]
    pids = [line["event"] for line in lines if line["event"].startswith("Started server process")]
    return {int(pid.split("[")[1].rstrip("]")) for pid in pids} if len(ready) == len(pids) else set()


def post(url: str, body: dict[str, str]) -> dict[str, Any]:
    """The answer to a request on a connection of its own, which either worker may take."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", "Connection": "close"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        document: dict[str, Any] = json.load(answer)
        return document


def sign_in(url: str) -> dict[str, Any]:
    return post(f"{url}/auth/login", {"username": "alice", "password": PASSWORD})


def key_id(tokens: dict[str, Any]) -> str:
    header: dict[str, str] = json.loads(base64url.decode(tokens["access_token"].split(".")[0]))
    return header["kid"]


def test_the_workers_sign_with_one_key_and_know_each_others_sessions(
    database_url: str, tmp_path: Path
) -> None:
    with two_workers(database_url, tmp_path) as (_, url):
        all_tokens = [sign_in(url) for _ in range(8)]
        renewed = [post(f"{url}/auth/refresh", {"refresh_token": one["refresh_token"]}) for one in all_tokens]
        assert len({key_id(tokens) for tokens in [*all_tokens, *renewed]}) == 1
        assert [one["session_id"] for one in renewed] == [one["session_id"] for one in all_tokens]


def test_a_killed_worker_is_replaced_and_its_sessions_go_on(database_url: str, tmp_path: Path) -> None:
    with two_workers(database_url, tmp_path) as (_, url):
        before = sign_in(url)
        first = ready_workers(tmp_path)
        killed = min(first)
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(ready_workers(tmp_path) - first) == 1)
        after = post(f"{url}/auth/refresh", {"refresh_token": before["refresh_token"]})
        assert key_id(after) == key_id(before)
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_process_that_started_them(
    sqlite_url: str, tmp_path: Path, how: signal.Signals
) -> None:
    with two_workers(sqlite_url, tmp_path) as (process, url):
        workers = ready_workers(tmp_path)
        process.send_signal(how)
        process.wait(PATIENCE_S)
        until(lambda: not any(_lives(pid) for pid in workers))
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(f"{url}/health/live", timeout=PATIENCE_S)


def _lives(pid: int) -> bool:
    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return False
    return status != "zombie"  # nobody may be there to collect it
