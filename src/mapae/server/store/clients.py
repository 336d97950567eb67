"""Clients as rows."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.store import tables

_ALGORITHMS: Final = select(tables.clients.c.id_token_signed_response_alg).distinct()


class Clients:
    """The clients of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def id_token_algorithms(self) -> Collection[str]:
        """What the clients want their ID tokens signed with."""
        return frozenset(await self._connection.scalars(_ALGORITHMS))
