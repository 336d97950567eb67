"""The resource servers as a process sees them: in memory, at most two seconds old."""

from collections.abc import Sequence
from typing import Final

from mapae.clock import Clock
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.store.engine import Database

#: Seconds after which the database is asked again.
KEPT_S: Final = 2


class ResourceDirectory:
    """Lists resource servers without a statement for each request."""

    def __init__(self, database: Database, *, monotonic: Clock) -> None:
        self._database = database
        self._monotonic = monotonic
        self._servers: Sequence[ResourceServer] = ()
        self._until = float("-inf")

    async def all(self) -> Sequence[ResourceServer]:
        """Every resource server, in the order of the set-up.

        Raises:
            StoreUnavailable: the database cannot be asked now.
        """
        if self._monotonic() >= self._until:
            async with self._database.reading() as unit:
                self._servers = await unit.resource_servers.all()
            self._until = self._monotonic() + KEPT_S
        return self._servers
