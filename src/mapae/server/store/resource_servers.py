"""Resource servers as rows."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.store import tables

_ALL: Final = select(tables.resource_servers).order_by(tables.resource_servers.c.position)


class ResourceServers:
    """The resource servers of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[ResourceServer]:
        """Every resource server, in the order of the set-up."""
        return [
            ResourceServer(row.audience, tuple(row.scopes), row.signing_alg)
            for row in await self._connection.execute(_ALL)
        ]

    async def add(self, server: ResourceServer) -> None:
        """Keep a new one, after those that are there."""
        table = tables.resource_servers
        next_position = select(func.coalesce(func.max(table.c.position), 0) + 1).scalar_subquery()
        await self._connection.execute(
            insert(table).values(
                audience=server.audience,
                position=next_position,
                scopes=list(server.scopes),
                signing_alg=server.signing_alg,
            )
        )

    async def save(self, server: ResourceServer) -> None:
        """Keep what has changed of one."""
        table = tables.resource_servers
        await self._connection.execute(
            update(table)
            .where(table.c.audience == server.audience)
            .values(scopes=list(server.scopes), signing_alg=server.signing_alg)
        )
