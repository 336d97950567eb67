"""Group commit: one batch at a time, the next forms meanwhile, nobody pays for a neighbour."""

import asyncio
from collections.abc import Sequence

import pytest

from mapae.server.actions.group_commit import GroupCommit


class Outage(Exception):
    """Nobody's fault."""


class Work:
    """Doubles numbers, batch by batch, each when told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.outage = False

    async def __call__(self, batch: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(batch))
        await self.gate.wait()
        if self.outage:
            raise Outage
        if any(number < 0 for number in batch):
            raise ValueError("a negative number")
        return [2 * number for number in batch]


async def all_under_way() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_arrives_during_a_batch_forms_the_next_one() -> None:
    work = Work()
    commits = GroupCommit(work, common=Outage, limit=3)
    first = asyncio.create_task(commits.submit(1))
    await all_under_way()
    others = [asyncio.create_task(commits.submit(number)) for number in (2, 3, 4, 5)]
    await all_under_way()
    work.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8, 10]
    assert work.batches == [[1], [2, 3, 4], [5]]


async def test_one_bad_request_does_not_fail_its_neighbours() -> None:
    work = Work()
    work.gate.set()
    commits = GroupCommit(work, common=Outage)
    results = await asyncio.gather(*(commits.submit(n) for n in (1, -1, 3)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], ValueError)
    assert results[2] == 6


async def test_an_outage_fails_the_whole_batch_at_once() -> None:
    work = Work()
    work.gate.set()
    work.outage = True
    commits = GroupCommit(work, common=Outage)
    results = await asyncio.gather(*(commits.submit(n) for n in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {Outage}
    assert len(work.batches) <= 2
    work.outage = False
    assert await commits.submit(7) == 14


async def test_a_caller_that_goes_away_takes_nothing_back() -> None:
    work = Work()
    commits = GroupCommit(work, common=Outage)
    gone = asyncio.create_task(commits.submit(1))
    await all_under_way()
    gone.cancel()
    stays = asyncio.create_task(commits.submit(2))
    await all_under_way()
    work.gate.set()
    assert await stays == 4
    assert work.batches == [[1], [2]]
    with pytest.raises(asyncio.CancelledError):
        await gone
