"""The hasher: right and wrong passwords, its bounds, and encoded hashes from elsewhere."""

import asyncio
import threading
from collections.abc import Iterator

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.secret import Secret
from mapae.server.adapters.argon2_hasher import (
    Argon2Hasher,
    Cost,
    HashingBusy,
    UnusableHash,
    check_encoded_hash,
)
from mapae.server.domain.passwords import PreparedPassword

RIGHT = PreparedPassword(Secret("correct horse battery staple"))
WRONG = PreparedPassword(Secret("correct horse battery stable"))
SALT, HASH = "c2FsdHNhbHQ", "A" * 43
GOOD = f"$argon2id$v=19$m=64,t=1,p=1${SALT}${HASH}"


@pytest.fixture
def hasher() -> Iterator[Argon2Hasher]:
    hasher = Argon2Hasher(memory_kib=64, time_cost=1, parallelism=1, threads=1, queue=1)
    yield hasher
    hasher.close()


async def test_the_right_password_and_no_other_is_verified(hasher: Argon2Hasher) -> None:
    encoded = await hasher.hash(RIGHT)
    assert await hasher.verify(encoded, RIGHT)
    assert not await hasher.verify(encoded, WRONG)
    assert argon2.PasswordHasher().verify(encoded, RIGHT.secret.reveal())


async def test_two_hashes_of_one_password_differ(hasher: Argon2Hasher) -> None:
    assert await hasher.hash(RIGHT) != await hasher.hash(RIGHT)


async def test_a_password_counts_to_its_last_byte(hasher: Argon2Hasher) -> None:
    encoded = await hasher.hash(PreparedPassword(Secret("비" * 1023 + "a")))
    assert not await hasher.verify(encoded, PreparedPassword(Secret("비" * 1023 + "b")))


async def test_hashes_of_another_maker_are_verified(hasher: Argon2Hasher) -> None:
    foreign = argon2.PasswordHasher(time_cost=3, memory_cost=256, parallelism=2).hash(RIGHT.secret.reveal())
    assert await hasher.verify(foreign, RIGHT)
    assert hasher.needs_rehash(foreign)
    assert check_encoded_hash(foreign) == Cost(256, 3, 2)


async def test_only_a_hash_of_another_cost_needs_a_new_one(hasher: Argon2Hasher) -> None:
    assert not hasher.needs_rehash(await hasher.hash(RIGHT))
    assert hasher.needs_rehash(GOOD.replace("m=64", "m=128"))
    assert hasher.needs_rehash(GOOD.replace("t=1", "t=2"))
    assert hasher.needs_rehash(GOOD.replace("p=1", "p=2"))
    assert hasher.needs_rehash("no hash")


@pytest.mark.parametrize("encoded", ["", "no hash", GOOD.replace("m=64", "m=99999999"), GOOD + "\0"])
async def test_an_unusable_hash_verifies_nothing_and_raises_nothing(
    hasher: Argon2Hasher, encoded: str
) -> None:
    assert not await hasher.verify(encoded, RIGHT)


def test_usual_hashes_are_usable() -> None:
    assert check_encoded_hash(GOOD) == Cost(64, 1, 1, salt_size=8, hash_size=32)


@pytest.mark.parametrize(
    "encoded",
    [
        GOOD.replace("argon2id", "argon2i"),
        GOOD.replace("v=19", "v=16"),
        GOOD.replace("$v=19", ""),
        GOOD.replace("m=64", "m=262145"),
        GOOD.replace("m=64", "m=" + "9" * 5000),
        GOOD.replace("m=64", "m=-64"),
        GOOD.replace("m=64", "m=064"),
        GOOD.replace("m=64", "m=٦٤"),
        GOOD.replace("t=1", "t=17"),
        GOOD.replace("t=1", "t=0"),
        GOOD.replace("p=1", "p=17"),
        GOOD.replace("p=1", "p=9"),  # 64 KiB are too few for nine lanes
        GOOD.replace(SALT, "c2FsdHNhbA"),  # 7 bytes
        GOOD.replace(SALT, "c2FsdHNhbHR"),  # unused bits are set
        GOOD.replace(SALT, "c2FsdHNhbHQ="),
        GOOD.replace(SALT, "c2FsdHNhb"),
        GOOD.replace(HASH, "A" * 20),
        GOOD.replace(HASH, "A" * 200),
        GOOD + "\n",
        "$2b$12$abcdefghijklmnopqrstuv",
    ],
)
def test_hashes_that_are_refused(encoded: str) -> None:
    with pytest.raises(UnusableHash):
        check_encoded_hash(encoded)


@given(st.text() | st.from_regex(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"))
def test_whatever_is_called_a_hash_is_usable_or_refused(encoded: str) -> None:
    try:
        cost = check_encoded_hash(encoded)
    except UnusableHash:
        return
    assert cost.memory_kib <= 262144
    assert cost.time_cost <= 16


class HeldHasher:
    """A hasher of one thread and one place in the queue, whose hashing waits until `gate` opens."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.hasher = Argon2Hasher(
            memory_kib=64, time_cost=1, parallelism=1, threads=1, queue=1, entropy=self._salt
        )

    def _salt(self, size: int) -> bytes:
        self.begun.set()
        self.gate.wait()
        return bytes(size)

    async def occupy(self) -> asyncio.Task[str]:
        """Put the only thread to work."""
        task = asyncio.create_task(self.hasher.hash(RIGHT))
        await asyncio.to_thread(self.begun.wait)
        return task

    async def queue_up(self) -> asyncio.Task[str]:
        """Take the only place in the queue."""
        task = asyncio.create_task(self.hasher.hash(RIGHT))
        await asyncio.sleep(0)  # the task runs until it waits
        return task


@pytest.fixture
def held() -> Iterator[HeldHasher]:
    held = HeldHasher()
    yield held
    held.gate.set()
    held.hasher.close()


async def test_a_full_queue_turns_callers_away_at_once_and_recovers(held: HeldHasher) -> None:
    tasks = [await held.occupy(), await held.queue_up()]
    with pytest.raises(HashingBusy) as caught:
        await held.hasher.hash(WRONG)
    assert caught.value.retry_after_s == 1
    for refused in (held.hasher.verify(GOOD, WRONG), held.hasher.verify_nothing(WRONG)):
        with pytest.raises(HashingBusy):
            await refused
    held.gate.set()
    encoded, _ = await asyncio.gather(*tasks)
    assert await held.hasher.verify(encoded, RIGHT)


async def test_a_caller_that_is_cancelled_while_it_waits_leaves_the_queue(held: HeldHasher) -> None:
    occupant, waiting = await held.occupy(), await held.queue_up()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    successor = await held.queue_up()
    held.gate.set()
    assert await occupant == await successor


async def test_a_caller_that_is_cancelled_later_leaves_its_thread_occupied(held: HeldHasher) -> None:
    occupant = await held.occupy()
    occupant.cancel()
    with pytest.raises(asyncio.CancelledError):
        await occupant
    waiting = await held.queue_up()
    with pytest.raises(HashingBusy):
        await held.hasher.hash(RIGHT)
    held.gate.set()
    assert await waiting


async def test_closing_cancels_who_waits_and_lets_the_thread_finish(held: HeldHasher) -> None:
    occupant, waiting = await held.occupy(), await held.queue_up()
    closing = asyncio.create_task(asyncio.to_thread(held.hasher.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    held.gate.set()
    await closing
    assert await occupant


async def test_without_memory_a_hash_is_a_matter_for_later() -> None:
    # argon2 refuses a lane of less than 8 KiB before it asks for memory: the same exception as for no memory.
    hasher = Argon2Hasher(memory_kib=1, time_cost=1, parallelism=1, threads=1, queue=0)
    with pytest.raises(HashingBusy):
        await hasher.hash(RIGHT)
    hasher.close()
