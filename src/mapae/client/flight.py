"""Single flight: callers that want the same thing at once share one execution and its outcome."""

import os
import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from concurrent.futures import Future

Outcome = TypeVar("Outcome")


class SingleFlight(Generic[Outcome]):
    """Runs one function at a time for each key; who comes meanwhile gets the same result or exception.

    Threads and asyncio tasks may share one flight. A task waits without a thread of its own.
    """

    def __init__(self) -> None:
        self._forget()
        _ALL.add(self)

    def _forget(self) -> None:
        self._guard = threading.Lock()
        self._under_way: dict[Hashable, Future[Outcome]] = {}

    def run(self, key: Hashable, function: Callable[[], Outcome]) -> Outcome:
        """The outcome of `function`, or of the execution that was under way for `key` when this was called."""
        while True:
            flight, is_ours = self._join(key)
            if is_ours:
                return self._fly(key, flight, function)
            try:
                return flight.result()
            except _Interrupted:
                continue  # take the place of the thread that flew

    async def arun(self, key: Hashable, function: Callable[[], Outcome]) -> Outcome:
        """As `run`, for asyncio: `function` runs in a thread, which goes on when the caller is cancelled."""
        import asyncio

        while True:
            flight, is_ours = self._join(key)
            if is_ours:
                threading.Thread(target=self._fly_alone, args=(key, flight, function)).start()
            try:
                # Shielded: one caller that is cancelled does not cancel the flight of the others.
                return await asyncio.shield(asyncio.wrap_future(flight))
            except _Interrupted:
                continue

    def _join(self, key: Hashable) -> tuple["Future[Outcome]", bool]:
        from concurrent.futures import Future  # takes 10 ms; a token that is still good needs no flight

        with self._guard:
            joined = self._under_way.get(key)
            if joined is not None:
                return joined, False
            ours = self._under_way[key] = Future[Outcome]()
            return ours, True

    def _fly(self, key: Hashable, flight: "Future[Outcome]", function: Callable[[], Outcome]) -> Outcome:
        try:
            outcome = function()
        except BaseException as problem:
            self._land(key)
            flight.set_exception(problem if isinstance(problem, Exception) else _Interrupted())
            raise
        self._land(key)
        flight.set_result(outcome)
        return outcome

    def _fly_alone(self, key: Hashable, flight: "Future[Outcome]", function: Callable[[], Outcome]) -> None:
        try:
            self._fly(key, flight, function)
        except Exception:  # noqa: BLE001 - it is in the flight, for those who wait
            return

    def _land(self, key: Hashable) -> None:
        with self._guard:
            del self._under_way[key]


class _Interrupted(Exception):
    """The thread that flew was interrupted: nothing is known."""


_ALL: Final[WeakSet[SingleFlight[Any]]] = WeakSet()


def _start_anew() -> None:
    """After a fork: what was under way is so in the parent alone, and nobody here will ever land it."""
    for flight in _ALL:
        flight._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
