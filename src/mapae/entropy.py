"""The only module that asks the system for random bytes."""

import os
from collections.abc import Callable

#: Takes a number of bytes, returns that many unpredictable bytes. Tests may hand over a seeded one.
Entropy = Callable[[int], bytes]


def system_entropy(size: int) -> bytes:
    """`size` bytes from the operating system's cryptographic generator."""
    return os.urandom(size)
