"""Limits on guessing, kept: one decision in the database for all processes, and a first line in memory.

A guess is counted when it is known to be wrong, in the transaction that says so, and what it came to is told only if
it could be counted. So however many are looked at side by side, no more answers are given than the limits allow;
a right password is no guess, and writes nothing here.
"""

import math
from collections.abc import Sequence

from mapae.clock import Clock
from mapae.server.domain.limits import PROCESS, Bucket
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.store.unit import Unit


class GuessLimits:
    """Asked before a password is looked at, and before anything is told of it.

    Args:
        monotonic: for the first line, which this process keeps in memory.
    """

    def __init__(self, *, monotonic: Clock) -> None:
        self._monotonic = monotonic
        self._paid_until = monotonic()

    async def check(self, unit: Unit, buckets: Sequence[Bucket]) -> None:
        """Check that another guess would be free now.

        Raises:
            Problem: TOO_MANY_ATTEMPTS with the seconds to wait.
        """
        self._check_process()
        wait_s = await unit.limits.wait_s(buckets)
        if wait_s > 0:
            raise _too_many(wait_s)

    async def count(self, unit: Unit, buckets: Sequence[Bucket]) -> None:
        """Count a wrong guess, within `unit`.

        Raises:
            Problem: TOO_MANY_ATTEMPTS with the seconds to wait, in place of what the guess came to. Leave `unit`
                without a commit.
        """
        self._check_process()
        if not await unit.limits.spend(buckets):
            raise _too_many(await unit.limits.wait_s(buckets))
        self._paid_until = max(self._paid_until, self._monotonic()) + PROCESS.interval_s

    def _check_process(self) -> None:
        ahead_s = self._paid_until - self._monotonic()
        if ahead_s > PROCESS.tolerance_s:
            raise _too_many(ahead_s - PROCESS.tolerance_s)


def _too_many(wait_s: float) -> Problem:
    return Problem(ProblemCode.TOO_MANY_ATTEMPTS, retry_after_s=max(1, math.ceil(wait_s)))
