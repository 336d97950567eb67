"""Limits on guessing, kept: one decision in the database for all processes, and a first line in memory."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from mapae.clock import Clock
from mapae.server.adapters.argon2_hasher import HashingBusy
from mapae.server.domain.limits import PROCESS, Bucket
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit


class GuessLimits:
    """Takes a guess before a password is looked at, and gives it back when it was right.

    Args:
        monotonic: for the first line, which this process keeps in memory.
    """

    def __init__(self, database: Database, *, monotonic: Clock) -> None:
        self._database = database
        self._monotonic = monotonic
        self._paid_until = monotonic()

    async def take(self, unit: Unit, buckets: Sequence[Bucket]) -> None:
        """Take one guess from each bucket, within `unit`.

        Raises:
            Problem: TOO_MANY_ATTEMPTS with the seconds to wait; leave `unit` without a commit, and nothing was taken.
        """
        self._take_of_process()
        wait_s = await unit.limits.spend(buckets)
        if wait_s:
            raise _too_many(wait_s)

    async def give_back(self, unit: Unit, buckets: Sequence[Bucket]) -> None:
        """Give the guess back, within `unit`: the password was right."""
        self._paid_until -= PROCESS.interval_s
        await unit.limits.refund(buckets)

    @asynccontextmanager
    async def unless_busy(self, buckets: Sequence[Bucket]) -> AsyncIterator[None]:
        """Within it, a password that nobody had time to look at costs no guess."""
        try:
            yield
        except HashingBusy:
            async with self._database.unit() as unit:
                await self.give_back(unit, buckets)
                await unit.commit()
            raise

    def _take_of_process(self) -> None:
        now = self._monotonic()
        ahead = self._paid_until - now
        if ahead > PROCESS.tolerance_s:
            raise _too_many(ahead - PROCESS.tolerance_s)
        self._paid_until = max(self._paid_until, now) + PROCESS.interval_s


def _too_many(wait_s: float) -> Problem:
    return Problem(ProblemCode.TOO_MANY_ATTEMPTS, retry_after_s=math.ceil(wait_s))
