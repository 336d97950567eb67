"""The statements that requests make, without those of what a process does besides."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

#: Of the key ring and of the outbox, which are looked at every other second, and of what is read that often at most.
_BESIDES = re.compile(r"FROM (keys|resource_servers|clients|logout_deliveries)\b|^SELECT (floor|CAST)")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The first word of each statement, on every engine, for the time of a `with`."""
    noted: list[str] = []

    def note(*facts: Any) -> None:
        if not _BESIDES.search(facts[2]) and not facts[2].startswith("BEGIN"):
            noted.append(facts[2].split()[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(Engine, "before_cursor_execute", note)
