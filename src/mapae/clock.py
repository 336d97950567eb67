"""The only module that asks the system for the time."""

import time
from collections.abc import Callable

#: A source of NumericDate seconds (RFC 7519 section 2). Tests hand over a fixed one.
Clock = Callable[[], float]


def system_clock() -> float:
    """The wall clock: seconds since 1970-01-01T00:00:00Z, leap seconds ignored."""
    return time.time()


def monotonic_clock() -> float:
    """Seconds since an arbitrary moment; never goes back. For time-outs and ages, not for tokens."""
    return time.monotonic()
