"""For connections that outlive their token: who watches it is told when it ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mapae.verifier.errors import TokenRejected

Recheck = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


async def ended(recheck: Recheck, *, every_s: float, sleep: Sleep = asyncio.sleep) -> TokenRejected:
    """Wait until `recheck` raises TokenRejected; returns what it raised.

    Args:
        recheck: returns the seconds that are left
        every_s: asks again at the latest after so many seconds, since clocks are set and tokens revoked
    """
    while True:
        try:
            left = recheck()
        except TokenRejected as rejected:
            return rejected
        await sleep(min(left, every_s))


@asynccontextmanager
async def lasting(recheck: Recheck, *, every_s: float, sleep: Sleep = asyncio.sleep) -> AsyncIterator[None]:
    """Run the body until `recheck` raises TokenRejected; then it is cancelled, and that comes out.

    It works as `asyncio.timeout` does, and like it must be left by the task that entered it.
    """
    watcher = asyncio.create_task(ended(recheck, every_s=every_s, sleep=sleep))
    try:
        async with asyncio.timeout(None) as limit:

            def end(watcher: "asyncio.Task[TokenRejected]") -> None:
                if not watcher.cancelled():
                    limit.reschedule(0)

            watcher.add_done_callback(end)
            try:
                yield
            finally:
                watcher.remove_done_callback(end)
    except TimeoutError:
        if limit.expired():
            raise watcher.result() from None
        raise
    finally:
        watcher.cancel()
