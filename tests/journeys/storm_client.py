"""One process of a storm: threads and tasks that all want a token from one store. Prints what it saw as JSON.

python -m tests.journeys.storm_client '{"issuer": …}'
"""

import asyncio
import json
import random
import sys
import threading
import time
from base64 import urlsafe_b64decode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mapae.client import ClientError, FileStore, LoginRequired, Session
from mapae.client.outside import Outside

PAUSE_S = 0.05


@dataclass(frozen=True)
class Orders:
    """What a process is to do.

    Attributes:
        until: moment of the wall clock at which it ends.
        clock_off_s: how wrong its clock is; in the second half as much in the other direction.
        reads_expiry: whether access tokens are JWTs, whose end can be checked.
    """

    issuer: str
    path: str
    threads: int
    tasks: int
    until: float
    began: float
    clock_off_s: float = 0.0
    reads_expiry: bool = True

    def clock(self) -> float:
        """The time as this process has it."""
        now = time.time()
        first_half = now < (self.began + self.until) / 2
        return now + (self.clock_off_s if first_half else -self.clock_off_s)


@dataclass
class Process:
    """The session of one process and what became of asking it."""

    orders: Orders
    session: Session
    guard: threading.Lock = field(default_factory=threading.Lock)
    seen: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def note(self, outcome: str | ClientError, took_s: float) -> None:
        """Count one token, or why there was none."""
        if isinstance(outcome, LoginRequired):
            kind = f"LoginRequired {outcome.reason}"
        elif isinstance(outcome, ClientError):
            kind = type(outcome).__name__
        else:
            kind = "over" if self.orders.reads_expiry and _expires_at(outcome) <= time.time() else "token"
        with self.guard:
            self.seen[kind] += 1
            self.slowest_s = max(self.slowest_s, took_s)

    def in_thread(self) -> None:
        """Ask until the time is over."""
        while time.time() < self.orders.until:
            began = time.monotonic()
            try:
                outcome: str | ClientError = self.session.token(min_life=0)
            except ClientError as problem:
                outcome = problem
            self.note(outcome, time.monotonic() - began)
            time.sleep(random.uniform(0, 2 * PAUSE_S))

    async def in_task(self) -> None:
        """Ask until the time is over, as a task."""
        while time.time() < self.orders.until:
            began = time.monotonic()
            try:
                outcome: str | ClientError = await self.session.atoken(min_life=0)
            except ClientError as problem:
                outcome = problem
            self.note(outcome, time.monotonic() - began)
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_S))

    async def tasks(self) -> None:
        """All tasks of this process."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.orders.tasks):
                group.create_task(self.in_task())


def _expires_at(token: str) -> float:
    payload = token.split(".")[1]
    return float(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])


def main() -> None:
    """Run until the orders end."""
    orders = Orders(**json.loads(sys.argv[1]))
    store, outside = FileStore(Path(orders.path)), Outside(clock=orders.clock)
    process = Process(orders, Session(orders.issuer, store, outside))
    threads = [threading.Thread(target=process.in_thread) for _ in range(orders.threads)]
    for thread in threads:
        thread.start()
    asyncio.run(process.tasks())
    for thread in threads:
        thread.join()
    print(json.dumps({"seen": process.seen, "slowest_s": process.slowest_s}))


if __name__ == "__main__":
    main()
