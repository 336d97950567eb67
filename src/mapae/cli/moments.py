"""Moments and spans of time, in words."""

from datetime import UTC, datetime
from typing import Final

#: Name of a unit and its seconds; a span is told in the largest unit that it fills twice.
UNITS: Final = (("years", 31_557_600), ("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def span(seconds: float) -> str:
    """A length of time in one unit, rounded down: `4 min`, `29 days`."""
    for unit, length in UNITS:
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def seen_from(now: float, moment: float) -> str:
    """How far away a moment is: `in 4 min`, `3 h ago`."""
    return f"in {span(moment - now)}" if moment >= now else f"{span(now - moment)} ago"


def local(moment: float) -> str:
    """A NumericDate as the wall clock of this machine shows it."""
    try:
        return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%d %b %Y %H:%M:%S %Z")
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar"
