"""Group commit: requests that arrive while a batch is under way form the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")


class GroupCommit(Generic[Request, Result]):
    """Runs `work` on batches, one at a time; the first request of a quiet moment does not wait.

    Args:
        work: takes requests, returns their results in the same order, all durable; raises when none are.
        common: what `work` raises when no request of the batch is to blame; then none is tried alone.
        limit: the largest batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Request]], Awaitable[Sequence[Result]]],
        *,
        common: type[Exception],
        limit: int = 256,
    ) -> None:
        self._work = work
        self._common = common
        self._limit = limit
        self._waiting: list[tuple[Request, asyncio.Future[Result]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Result:
        """The result of `request`, once it is durable.

        A caller that goes away does not take the work of others, nor its own, back.
        Raises: what `work` raises for this request alone.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._settle(batch)
        finally:
            self._runner = None

    async def _settle(self, batch: Sequence[tuple[Request, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001  # handed to whoever waits for it
            if len(batch) == 1 or isinstance(error, self._common):
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                return
            # One bad request must not fail its neighbours.
            for single in batch:
                await self._settle([single])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
