"""Periodic work: each job is run by one process at a time, whichever finds it due."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog

from mapae.server.store.engine import Database, StoreUnavailable

log = structlog.get_logger()

#: Seconds between two looks at what is due.
LOOK_S: Final = 30


@dataclass(frozen=True, slots=True)
class Job:
    """What is run every `interval_s` seconds; the interval is also the longest a run may take."""

    name: str
    interval_s: int
    action: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running(jobs: Sequence[Job], database: Database) -> AsyncIterator[None]:
    """While inside, the jobs that are due are run in the background; one under way is finished on leaving."""
    leaving = asyncio.Event()
    task = asyncio.create_task(_look_until(leaving, jobs, database))
    try:
        yield
    finally:
        leaving.set()
        await task


async def run_due(jobs: Sequence[Job], database: Database) -> None:
    """Run the jobs that are due and that no other process has taken."""
    for job in jobs:
        try:
            async with database.unit() as unit:
                due = await unit.jobs.claim(job.name, interval_s=job.interval_s)
                await unit.commit()
            if due:
                await job.action()
        except StoreUnavailable as error:
            log.warning("job_put_off", job=job.name, detail=str(error))


async def _look_until(leaving: asyncio.Event, jobs: Sequence[Job], database: Database) -> None:
    while not leaving.is_set():
        try:
            await run_due(jobs, database)
        except Exception:
            # A job that fails must not keep the others, nor its own next run, from happening.
            log.exception("job_failed")
        with suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), LOOK_S)
