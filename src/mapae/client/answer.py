"""What an HTTP server said, and the few things that are read from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mapae.secret import Secret

LONGEST_WAIT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server said. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def members(self) -> dict[str, Any]:
        """The JSON object of the body; empty when the body is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def date(self) -> float | None:
        """When it was made, by the server's clock."""
        return _http_date(self.headers.get("date", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asks to be left alone for, 300 at most."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdecimal():
            return float(min(int(value[:9]), LONGEST_WAIT_S))
        moment, date = _http_date(value), self.date
        if moment is None or date is None:
            return None
        return min(max(moment - date, 0.0), LONGEST_WAIT_S)


def secret(value: object) -> Secret:
    """A token, or another value that goes into a header and, one a line, to the shell.

    Raises:
        ValueError: it is not of printable ASCII without spaces.
    """
    if not isinstance(value, str) or not value or not all("!" <= character <= "~" for character in value):
        raise ValueError("not a token")
    return Secret(value)


def seconds(value: object) -> float:
    """A time span.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e10:
        raise ValueError("not a time span")
    return float(value)


def _http_date(value: str) -> float | None:
    from email.utils import parsedate_to_datetime  # only answers have dates, and only refreshes have answers

    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
