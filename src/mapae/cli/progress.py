"""A line that counts the seconds while something is waited for."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import get_terminal_size

from mapae.cli.moments import span
from mapae.clock import monotonic_clock

_CLEAR_TO_END = "\x1b[K"


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Within it, stderr shows `text` and for how long; only at a terminal, and afterwards nothing is left of it."""
    if not sys.stderr.isatty():
        yield
        return
    begun_at, over = monotonic_clock(), threading.Event()

    def count() -> None:
        while not over.wait(1):
            line = f"{text} {span(monotonic_clock() - begun_at)}"
            sys.stderr.write(f"\r{line[: get_terminal_size().columns - 1]}{_CLEAR_TO_END}")
            sys.stderr.flush()

    counting = threading.Thread(target=count, daemon=True)
    sys.stderr.write(text[: get_terminal_size().columns - 1])
    sys.stderr.flush()
    counting.start()
    try:
        yield
    finally:
        over.set()
        counting.join()
        sys.stderr.write(f"\r{_CLEAR_TO_END}")
        sys.stderr.flush()
