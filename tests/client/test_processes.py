"""Several processes on one store: one turn, no sign-out, with and without a lock."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from mapae.client import FileStore, Session
from tests.client.wire import AuthServer, Reply, auth_server

#: A process that says it is ready, waits for the start, then renews the token it was told is no good.
RACER = """
import contextlib, sys
from pathlib import Path
from mapae.client import FileStore, Session

issuer, path, locked, rejected = sys.argv[1:]

class Unlocked(FileStore):
    def lock(self, deadline_s):
        return contextlib.nullcontext()

store = (FileStore if locked == "locked" else Unlocked)(Path(path))
session = Session.load(issuer, store=store)
print("ready", flush=True)
sys.stdin.readline()
print(session.refresh(rejected=rejected), flush=True)
"""


def start(server: AuthServer, store: FileStore, *, locked: bool, rejected: str) -> subprocess.Popen[str]:
    """A racer that waits for `go`."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            RACER,
            server.url,
            str(store.path),
            "locked" if locked else "unlocked",
            rejected,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(processes: Iterable[subprocess.Popen[str]]) -> None:
    """Let them run."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def race(server: AuthServer, store: FileStore, *, locked: bool, racers: int, rejected: str) -> list[str]:
    """What each process came home with."""
    processes = [start(server, store, locked=locked, rejected=rejected) for _ in range(racers)]
    go(processes)
    finished = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in finished] == [""] * racers
    return [printed.strip() for printed, _ in finished]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A store that processes share."""
    return FileStore(tmp_path / "home" / "session.json")


def test_processes_with_a_lock_make_one_turn(store: FileStore) -> None:
    with auth_server() as server:
        first = Session.login(server.url, "alice", "open sesame", store=store).token()
        tokens = race(server, store, locked=True, racers=4, rejected=first)

        assert set(tokens) == {"access-1-2"}
        assert len(server.calls("refresh")) == 1


def test_processes_without_a_lock_agree_on_the_attempt_value_and_stay_signed_in(store: FileStore) -> None:
    with auth_server() as server:
        session = Session.login(server.url, "alice", "open sesame", store=store)
        first = session.token()
        tokens = race(server, store, locked=False, racers=4, rejected=first)

        assert len(tokens) == 4
        assert server.ended is None
        calls = server.calls("refresh")
        assert len({(call.body["refresh_token"], call.headers["mapae-attempt"]) for call in calls}) == len(
            {call.body["refresh_token"] for call in calls}
        )
        assert session.refresh()
        assert server.ended is None


def test_lost_answers_in_a_race_are_no_sign_out(store: FileStore) -> None:
    with auth_server() as server:
        session = Session.login(server.url, "alice", "open sesame", store=store)
        server.replies.extend([Reply(lost=True)])
        tokens = race(server, store, locked=True, racers=3, rejected=session.token())

        assert len(set(tokens)) == 1
        assert (server.ended, server.turn) == (None, 1)


def test_a_process_killed_while_the_answer_is_under_way_is_no_sign_out(store: FileStore) -> None:
    """The server has turned, the store still has the old token: the next process presents it again."""
    with auth_server() as server:
        first = Session.login(server.url, "alice", "open sesame", store=store).token()
        process = start(server, store, locked=True, rejected=first)
        server.before_answer = process.kill
        go([process])
        process.communicate(timeout=60)
        server.before_answer = lambda: None

        assert process.returncode < 0
        assert Session.load(server.url, store=store).refresh() == "access-1-3"
        killed, next_one = server.calls("refresh")
        assert killed.headers["mapae-attempt"] == next_one.headers["mapae-attempt"]
