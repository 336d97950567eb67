"""Where a verifier has its keys from: given, or fetched from the issuer by one thread at a time."""

import logging
import threading
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mapae.clock import Clock
from mapae.jose.jwks import JwkSet
from mapae.verifier.key_cache import KeyCache

if TYPE_CHECKING:
    from mapae.verifier.discovery import FetchedKeys

log: Final = logging.getLogger("mapae.verifier")

#: A fetch may take this long, and those who wait for it a little longer; together within 5 s.
FETCH_LIMIT_S: Final = 4.0
WAIT_LIMIT_S: Final = 4.5


@dataclass(frozen=True, slots=True)
class Pending:
    """A fetch under way. Any number of threads and tasks may wait for it.

    Attributes:
        deadline: moment of `clock` after which nobody waits any more.
    """

    deadline: float
    clock: Clock
    _done: "futures.Future[None]" = field(default_factory=futures.Future)

    def __post_init__(self) -> None:
        # From here on a task that is cancelled while it waits cannot cancel it for the others.
        self._done.set_running_or_notify_cancel()

    def wait(self) -> None:
        """Return when the fetch is over, however it ended, or at the deadline."""
        futures.wait((self._done,), timeout=self._left())

    async def async_wait(self) -> None:
        """As `wait`, for a task."""
        import asyncio  # here it is loaded already, and who never comes here does without

        done = asyncio.wrap_future(self._done)
        try:
            await asyncio.wait((done,), timeout=self._left())
        finally:
            done.cancel()

    def settle(self) -> None:
        """Let all who wait go on."""
        self._done.set_result(None)

    def _left(self) -> float:
        return max(0.0, self.deadline - self.clock())


class GivenKeys:
    """Keys that the caller holds: a set, or a function that returns the current one.

    The function should return the same object as long as the keys are the same: a new set empties the cache of
    verified tokens.

    Attributes:
        current: returns the keys.
    """

    problem: Final = ""

    def __init__(self, keys: JwkSet | Callable[[], JwkSet]) -> None:
        self.current: Final[Callable[[], JwkSet]] = (lambda: keys) if isinstance(keys, JwkSet) else keys

    def refetch(self) -> None:
        """None: there is nowhere to ask."""


class IssuerKeys:
    """The keys that an issuer publishes, fetched when a `KeyCache` says so, always in a thread of their own."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        """
        Args:
            clock: monotonic
        """
        self._issuer = issuer
        self._clock = clock
        self._lock = threading.Lock()
        # Replaced as a whole, under the lock; read without it.
        self._cache = KeyCache()
        self._pending: Pending | None = None

    @property
    def problem(self) -> str:
        """Why the last fetch failed; empty when it did not."""
        return self._cache.problem

    def current(self) -> JwkSet | None:
        """The keys that may be used now; fetches new ones in the background when these grow old."""
        cache, now = self._cache, self._clock()
        if cache.soft_until <= now < cache.hard_until and cache.may_fetch(now):
            self.refetch()
        return cache.usable(now)

    def refetch(self) -> Pending | None:
        """The fetch under way, else a new one, else None while a cool-down or the wait after a failure is on."""
        with self._lock:
            now = self._clock()
            if self._pending is not None:
                if now < self._pending.deadline:
                    return self._pending
                # Stuck: nobody waits for it any more, and what it may still bring is not taken.
                self._conclude(f"{self._issuer} did not answer in time")
            if not self._cache.may_fetch(now):
                return None
            pending = self._pending = Pending(now + WAIT_LIMIT_S, self._clock)
        threading.Thread(target=self._fetch, args=(pending,), name="mapae-keys", daemon=True).start()
        return pending

    def _fetch(self, pending: Pending) -> None:
        # The HTTP client takes longer to import than all the rest; nobody pays for it who has the keys.
        from mapae.verifier.discovery import fetch_keys
        from mapae.verifier.fetch import FetchFailed

        outcome: FetchedKeys | str
        try:
            outcome = fetch_keys(
                self._issuer, deadline=pending.deadline - WAIT_LIMIT_S + FETCH_LIMIT_S, clock=self._clock
            )
        except FetchFailed as failed:
            log.warning("keys of %s not fetched: %s", self._issuer, failed)
            outcome = str(failed)
        with self._lock:
            if self._pending is pending:
                self._conclude(outcome)
        pending.settle()

    def _conclude(self, outcome: "FetchedKeys | str") -> None:
        self._pending = None
        if isinstance(outcome, str):
            self._cache = self._cache.failed(outcome, self._clock())
        else:
            self._cache = self._cache.fetched(outcome.keys, outcome.max_age_s, self._clock())
