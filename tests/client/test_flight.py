"""One flight for everybody who wants the same at once."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from mapae.client.flight import SingleFlight


class Rush:
    """One caller in the air, others waiting for it; the flight lands when told to."""

    def __init__(self, outcome: Callable[[], str]) -> None:
        self.flight = SingleFlight[str]()
        self.taken_off, self.may_land = threading.Event(), threading.Event()
        self.outcome = outcome
        self.flights = 0
        self.results: list[object] = []

    def fly(self) -> str:
        self.flights += 1
        self.taken_off.set()
        self.may_land.wait(10)
        return self.outcome()

    def run(self) -> None:
        try:
            self.results.append(self.flight.run("key", self.fly))
        except BaseException as problem:  # noqa: BLE001 - collected for the assertions
            self.results.append(problem)

    def of(self, callers: int) -> list[object]:
        threads = [threading.Thread(target=self.run) for _ in range(callers)]
        threads[0].start()
        self.taken_off.wait(10)
        for thread in threads[1:]:
            thread.start()
        self.may_land.set()
        for thread in threads:
            thread.join(10)
        return self.results


def test_an_exception_reaches_every_caller() -> None:
    refused = ValueError("no")

    def fail() -> str:
        raise refused

    results = Rush(fail).of(8)

    assert results == [refused] * 8


def test_one_flight_lands_before_the_next_takes_off() -> None:
    flight = SingleFlight[int]()

    assert flight.run("key", lambda: 1) == 1
    assert flight.run("key", lambda: 2) == 2


def test_a_caller_takes_the_place_of_one_that_was_interrupted() -> None:
    outcomes = iter([KeyboardInterrupt(), "landed"])

    def interrupted_once() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, KeyboardInterrupt):
            raise outcome
        return str(outcome)

    rush = Rush(interrupted_once)
    results = rush.of(2)

    assert {type(result) for result in results} == {KeyboardInterrupt, str}
    assert "landed" in results


def test_an_interruption_leaves_the_way_free() -> None:
    flight = SingleFlight[int]()

    def interrupt() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flight.run("key", interrupt)
    assert flight.run("key", lambda: 3) == 3


def test_other_keys_fly_meanwhile() -> None:
    flight = SingleFlight[str]()

    assert flight.run("one", lambda: flight.run("other", lambda: "landed")) == "landed"


async def test_tasks_and_threads_share_a_flight() -> None:
    rush = Rush(lambda: "landed")
    thread = threading.Thread(target=rush.run)
    thread.start()
    await asyncio.to_thread(rush.taken_off.wait, 10)
    tasks = [asyncio.create_task(rush.flight.arun("key", rush.fly)) for _ in range(1000)]
    await asyncio.sleep(0)
    assert threading.active_count() < 100
    rush.may_land.set()

    assert set(await asyncio.gather(*tasks)) == {"landed"}
    thread.join(10)
    assert rush.flights == 1


async def test_a_task_that_is_cancelled_leaves_the_flight_to_the_others() -> None:
    rush = Rush(lambda: "landed")
    first = asyncio.create_task(rush.flight.arun("key", rush.fly))
    second = asyncio.create_task(rush.flight.arun("key", rush.fly))
    await asyncio.to_thread(rush.taken_off.wait, 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    rush.may_land.set()

    assert await second == "landed"
    assert rush.flights == 1


async def test_an_exception_reaches_tasks_too() -> None:
    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await SingleFlight[str]().arun("key", fail)


async def test_a_task_takes_the_place_of_a_thread_that_was_interrupted() -> None:
    outcomes = iter([KeyboardInterrupt(), "landed"])

    def interrupted_once() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, KeyboardInterrupt):
            raise outcome
        return str(outcome)

    rush = Rush(interrupted_once)
    thread = threading.Thread(target=rush.run)
    thread.start()
    await asyncio.to_thread(rush.taken_off.wait, 10)
    task = asyncio.create_task(rush.flight.arun("key", rush.fly))
    await asyncio.sleep(0)
    rush.may_land.set()

    assert await task == "landed"
    thread.join(10)


FORKED_IN_FLIGHT = """
import os, threading
from mapae.client.flight import SingleFlight

flight, taken_off, may_land = SingleFlight(), threading.Event(), threading.Event()

def fly():
    taken_off.set()
    may_land.wait(10)
    return "the parent's"

thread = threading.Thread(target=flight.run, args=("key", fly))
thread.start()
taken_off.wait(10)
child = os.fork()
if child == 0:
    print(flight.run("key", lambda: "the child's"), flush=True)
    os._exit(0)
os.waitpid(child, 0)
may_land.set()
thread.join()
"""


def test_a_process_that_was_forked_in_flight_waits_for_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED_IN_FLIGHT],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "the child's\n"
