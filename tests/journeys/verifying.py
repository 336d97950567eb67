"""A process that verifies: one token a line on stdin, on stdout "ok" or the reason for each, in any order.

    python -m tests.journeys.verifying threads|asyncio ISSUER AUDIENCE SPEED CLOCK_OFF_S

Its keys age `SPEED` times as fast as elsewhere, so that a test sees in seconds what takes minutes; its wall clock is
off by `CLOCK_OFF_S`.
"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from mapae.verifier import TokenRejected, Verifier

THREADS = 4


def in_threads(verifier: Verifier) -> None:
    def check(raw: str) -> None:
        try:
            verifier.verify(raw)
        except TokenRejected as rejected:
            say(str(rejected))
        else:
            say("ok")

    with ThreadPoolExecutor(THREADS) as pool:
        for line in sys.stdin:
            pool.submit(check, line.strip())


async def in_tasks(verifier: Verifier) -> None:
    async def check(raw: str) -> None:
        try:
            await verifier.averify(raw)
        except TokenRejected as rejected:
            say(str(rejected))
        else:
            say("ok")

    async with asyncio.TaskGroup() as group:
        while line := await asyncio.to_thread(sys.stdin.readline):
            group.create_task(check(line.strip()))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(kind: str, issuer: str, audience: str, speed: str, clock_off_s: str) -> None:
    verifier = Verifier(
        issuer=issuer,
        audience=audience,
        leeway_s=60,
        monotonic=lambda: time.monotonic() * float(speed),
        clock=lambda: time.time() + float(clock_off_s),
    )
    if kind == "threads":
        in_threads(verifier)
    else:
        asyncio.run(in_tasks(verifier))


if __name__ == "__main__":
    main(*sys.argv[1:])
