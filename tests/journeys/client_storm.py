"""A storm of client processes on one store, and what can be done to them meanwhile."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.processes import ROOT

_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Crowd:
    """How many, and for how long."""

    processes: int
    threads: int
    tasks: int
    seconds: float
    clock_off_s: float = 0.0
    reads_expiry: bool = True


@dataclass
class Seen:
    """What the processes saw, but for those that were killed, and what came by at the proxy."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    refreshes: int = 0
    cut: int = 0
    killed: int = 0

    @property
    def sign_outs(self) -> int:
        """How often somebody was told to sign in."""
        return sum(count for kind, count in self.outcomes.items() if kind.startswith("LoginRequired"))


@dataclass
class Proxy:
    """Passes requests on to a server, counts refreshes, and cuts some connections.

    Attributes:
        cut_share: of the refreshes, how many lose their answer, or do not even arrive: half and half.
    """

    target: int
    cut_share: float = 0.0
    refreshes: int = 0
    cut: int = 0
    port: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    guard: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, client: socket.socket) -> None:
        """One connection, which the client uses for one request."""
        with client, suppress(OSError):
            client.settimeout(30)
            request = _whole(client)
            fate = self._fate(request)
            if fate == "arrives not":
                return
            with socket.create_connection(("127.0.0.1", self.target), timeout=30) as server:
                server.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
                answer = b"".join(iter(lambda: server.recv(_LIMIT), b""))
            if fate == "passes":
                client.sendall(answer)

    def _fate(self, request: bytes) -> str:
        path = request.partition(b" HTTP/")[0]
        if not path.endswith((b"/auth/refresh", b"/token")):
            return "passes"
        with self.guard:
            self.refreshes += 1
            if self.dice.random() >= self.cut_share:
                return "passes"
            self.cut += 1
            return self.dice.choice(("arrives not", "is lost"))


def _whole(connection: socket.socket) -> bytes:
    """A request up to the end of its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(_LIMIT) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length:")
    length = int(rest.partition(b"\r\n")[0]) if found else 0
    while len(body) < length:
        body += connection.recv(_LIMIT)
    return head.replace(b"Connection: close\r\n", b"") + b"\r\n\r\n" + body


@contextmanager
def proxied(target: int, cut_share: float = 0.0, port: int = 0) -> Iterator[Proxy]:
    """A proxy on the loopback interface."""
    proxy = Proxy(target, cut_share)
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    proxy.port = listener.getsockname()[1]

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=proxy.handle, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@dataclass
class Storm:
    """The processes under way."""

    command: Callable[[], list[str]]
    until: float
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    killed: int = 0

    def start(self) -> None:
        """One process more."""
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.running.append(
            subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def kill_one(self, dice: random.Random) -> None:
        """`kill -9` of one of them, and another one in its place."""
        victim = self.running.pop(dice.randrange(len(self.running)))
        victim.kill()
        victim.communicate()
        self.killed += 1
        self.start()


def weather(
    crowd: Crowd, issuer: str, path: Path, *, meanwhile: Callable[[Storm], None] = lambda _: None
) -> Seen:
    """Let the processes run on a store in which somebody is signed in.

    Args:
        meanwhile: is called again and again until the time is over.
    """
    began = time.time()
    until = began + crowd.seconds
    orders = {
        "issuer": issuer,
        "path": str(path),
        "threads": crowd.threads,
        "tasks": crowd.tasks,
        "began": began,
        "until": until,
        "clock_off_s": crowd.clock_off_s,
        "reads_expiry": crowd.reads_expiry,
    }
    command = [sys.executable, "-m", "tests.journeys.storm_client", json.dumps(orders)]
    storm = Storm(lambda: command, until)
    for _ in range(crowd.processes):
        storm.start()
    while time.time() < until:
        meanwhile(storm)
        time.sleep(0.05)
    seen = Seen(killed=storm.killed)
    for process in storm.running:
        printed, errors = process.communicate(timeout=90)
        assert process.returncode == 0, errors
        told = json.loads(printed)
        seen.outcomes.update(told["seen"])
        seen.slowest_s = max(seen.slowest_s, told["slowest_s"])
    return seen
