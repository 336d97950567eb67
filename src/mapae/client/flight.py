"""Single flight: callers that want the same thing at once share one execution and its outcome."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")


class SingleFlight(Generic[Outcome]):
    """Runs one function at a time; who comes meanwhile waits, and gets the same result or exception."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._under_way: _Flight[Outcome] | None = None

    def run(self, function: Callable[[], Outcome]) -> Outcome:
        """The outcome of `function`, or of the execution that was under way when this was called."""
        while True:
            with self._guard:
                joined = self._under_way
                if joined is None:
                    mine = self._under_way = _Flight()
            if joined is None:
                return self._fly(mine, function)
            joined.landed.wait()
            if joined.problem is not None:
                raise joined.problem
            for outcome in joined.outcome:
                return outcome
            # The thread that flew was interrupted: take its place.

    def _fly(self, flight: "_Flight[Outcome]", function: Callable[[], Outcome]) -> Outcome:
        try:
            outcome = function()
        except Exception as problem:
            flight.problem = problem
            raise
        else:
            flight.outcome = (outcome,)
            return outcome
        finally:
            with self._guard:
                self._under_way = None
            flight.landed.set()


class _Flight(Generic[Outcome]):
    def __init__(self) -> None:
        self.landed = threading.Event()
        self.outcome: tuple[Outcome, ...] = ()
        self.problem: Exception | None = None
