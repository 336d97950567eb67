"""Argon2id on threads of its own: bounded, off the event loop, the same cost for users that do not exist."""

import asyncio
import os
import re
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

from argon2.exceptions import HashingError, VerificationError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION, Type, hash_secret, verify_secret

from mapae.entropy import Entropy, system_entropy
from mapae.server.domain.passwords import (
    MAX_MEMORY_KIB,
    MAX_PARALLELISM,
    MAX_TIME_COST,
    PreparedPassword,
)

SALT_SIZE: Final = 16
HASH_SIZE: Final = 32
#: Of the hashing threads: the event loop and the database beside us go first.
NICENESS: Final = 19
#: What a turned away caller is told to wait.
RETRY_AFTER_S: Final = 1

_ENCODED: Final = re.compile(
    r"\$argon2id\$v=(?P<version>[1-9][0-9]{0,3})"
    r"\$m=(?P<memory>[1-9][0-9]{0,8}),t=(?P<time>[1-9][0-9]{0,8}),p=(?P<lanes>[1-9][0-9]{0,8})"
    r"\$(?P<salt>[A-Za-z0-9+/]{1,128})\$(?P<hash>[A-Za-z0-9+/]{1,128})"
)

T = TypeVar("T")


class HashingBusy(Exception):
    """As many passwords as allowed are being hashed or waiting, or there is no memory for one more."""

    def __init__(self, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(f"try again in {retry_after_s} s")
        self.retry_after_s: Final = retry_after_s


class UnusableHash(Exception):
    """An encoded hash that is not verified. The text says why and never quotes it."""


class Cost(NamedTuple):
    """What a hash costs, and how long its parts are in bytes."""

    memory_kib: int
    time_cost: int
    parallelism: int
    salt_size: int = SALT_SIZE
    hash_size: int = HASH_SIZE


def check_encoded_hash(encoded: str) -> Cost:
    """What verifying `encoded` will cost: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.

    Raises:
        UnusableHash: another algorithm or version, a cost above the limits of `domain.passwords` or below
            what Argon2 can do, base64 that is not canonical, a salt or hash that is too short or long.
    """
    found = _ENCODED.fullmatch(encoded)
    if found is None:
        raise UnusableHash("is not an encoded Argon2id hash: $argon2id$v=19$m=…,t=…,p=…$salt$hash")
    if int(found["version"]) != ARGON2_VERSION:
        raise UnusableHash(f"is of an Argon2 version other than {ARGON2_VERSION}")
    cost = Cost(
        int(found["memory"]),
        int(found["time"]),
        int(found["lanes"]),
        len(_canonical(found["salt"])),
        len(_canonical(found["hash"])),
    )
    if (
        cost.memory_kib > MAX_MEMORY_KIB
        or cost.time_cost > MAX_TIME_COST
        or cost.parallelism > MAX_PARALLELISM
    ):
        raise UnusableHash(f"costs more than m={MAX_MEMORY_KIB},t={MAX_TIME_COST},p={MAX_PARALLELISM}")
    # RFC 9106 section 3.1: at least 8 KiB a lane; its salt may be empty, ours may not.
    if cost.memory_kib < 8 * cost.parallelism:
        raise UnusableHash("has less than 8 KiB of memory for each lane")
    if not (8 <= cost.salt_size <= 64 and 16 <= cost.hash_size <= 64):
        raise UnusableHash("needs a salt of 8 to 64 bytes and a hash of 16 to 64")
    return cost


def _canonical(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    try:
        data = b64decode(padded, validate=True)
    except ValueError:
        raise UnusableHash("holds something that is not base64") from None
    if b64encode(data).decode() != padded:
        raise UnusableHash("holds base64 whose unused bits are set")
    return data


def _give_way() -> None:
    """Have this thread run when no other wants to: a hash takes as long as a hundred refreshes, and can wait.

    On Linux, where threads have a priority of their own; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Argon2Hasher:
    """Hashes and verifies passwords, `threads` at a time, with at most `queue` waiting.

    A caller that is cancelled while it waits leaves the queue; one that is cancelled later leaves the thread
    to finish. Every method raises HashingBusy at once when the queue is full.
    """

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        threads: int,
        queue: int,
        entropy: Entropy = system_entropy,
    ) -> None:
        self._cost: Final = Cost(memory_kib, time_cost, parallelism)
        self._entropy: Final = entropy
        self._places: Final = threading.Semaphore(threads + queue)
        self._threads: Final = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_give_way)

    async def hash(self, password: PreparedPassword) -> str:
        """The encoded hash of `password` under a new salt, at today's cost."""
        return await self._run(lambda: self._hash(password, self._entropy(SALT_SIZE)))

    async def verify(self, encoded: str, password: PreparedPassword) -> bool:
        """Whether `encoded` was made from `password`; False for an unusable hash, at the usual cost."""
        try:
            check_encoded_hash(encoded)
        except UnusableHash:
            await self.verify_nothing(password)
            return False
        return await self._run(lambda: _verify(encoded, password))

    async def verify_nothing(self, password: PreparedPassword) -> None:
        """Take as long as `verify` does, for a user that does not exist."""
        await self._run(lambda: self._hash(password, bytes(SALT_SIZE)))

    def needs_rehash(self, encoded: str) -> bool:
        """Whether `encoded` costs something else than today's hashes do."""
        try:
            return check_encoded_hash(encoded) != self._cost
        except UnusableHash:
            return True

    def close(self) -> None:
        """Cancel who waits, and return once the threads have finished what they are at."""
        self._threads.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        job = self._threads.submit(work)
        # Not when the caller stops waiting: a thread that is at work keeps its place.
        job.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(job)

    def _hash(self, password: PreparedPassword, salt: bytes) -> str:
        try:
            return hash_secret(
                password.secret.reveal().encode(),
                salt,
                time_cost=self._cost.time_cost,
                memory_cost=self._cost.memory_kib,
                parallelism=self._cost.parallelism,
                hash_len=HASH_SIZE,
                type=Type.ID,
            ).decode("ascii")
        except HashingError:  # all arguments are known to be right, so there is no memory
            raise HashingBusy from None


def _verify(encoded: str, password: PreparedPassword) -> bool:
    try:
        return verify_secret(encoded.encode("ascii"), password.secret.reveal().encode(), Type.ID)
    except VerifyMismatchError:
        return False
    except VerificationError:  # the hash is known to be well formed, so there is no memory
        raise HashingBusy from None
