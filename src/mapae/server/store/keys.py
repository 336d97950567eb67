"""Signing keys as rows: the private part only sealed."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.keys import SealedKey
from mapae.server.store import tables


class Keys:
    """The signing keys of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def active(self) -> Sequence[SealedKey]:
        """The key that signs, for each algorithm."""
        query = select(tables.keys).where(tables.keys.c.active).order_by(tables.keys.c.created_at)
        return [
            SealedKey(row.kid, row.algorithm, row.public, row.sealed, row.created_at)
            for row in await self._connection.execute(query)
        ]

    async def add_unless_active(self, key: SealedKey) -> None:
        """Keep a new active key; nothing happens when its algorithm has one."""
        insert = sqlite_insert if self._connection.dialect.name == "sqlite" else postgresql_insert
        await self._connection.execute(
            insert(tables.keys)
            .values(
                kid=key.kid,
                algorithm=key.algorithm,
                active=True,
                public=key.public,
                sealed=key.sealed,
                created_at=key.created_at,
            )
            .on_conflict_do_nothing()
        )
