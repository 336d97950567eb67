"""Keep new authorization codes: those of the same moment in one statement and one commit."""

from collections.abc import Sequence

from mapae.server.actions.group_commit import GroupCommit
from mapae.server.domain.codes import Code
from mapae.server.store.engine import Database, StoreUnavailable


class KeepCodes:
    """The one door to new codes for requests of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = GroupCommit(self._keep, common=StoreUnavailable)

    async def __call__(self, code: Code) -> None:
        """Keep a code; it is durable by then.

        Raises:
            StoreUnavailable: it could not be kept.
        """
        await self._commits.submit(code)

    async def _keep(self, codes: Sequence[Code]) -> Sequence[None]:
        async with self._database.unit() as unit:
            await unit.codes.add(codes)
            await unit.commit()
        return [None] * len(codes)
