"""The key ring as rows: private parts only sealed."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.keys import Key
from mapae.server.store import tables

#: Names this lock among a PostgreSQL database's advisory locks.
_ADVISORY_LOCK = 0x6B657973  # "keys"


class Keys:
    """The keys of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Wait until no other transaction changes keys; what is read from here on stays so until the end of ours.

        On SQLite every unit of work that writes has the whole database to itself.
        """
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )

    async def all(self) -> Sequence[Key]:
        """Every key there is, in the order in which they sign."""
        table = tables.keys
        query = select(table).order_by(table.c.signs_from, table.c.created_at, table.c.kid)
        return [Key(**row._mapping) for row in await self._connection.execute(query)]

    async def add(self, key: Key) -> None:
        """Keep a new key. The last one of its line has to have its end by now."""
        await self._connection.execute(insert(tables.keys).values(**asdict(key)))

    async def save(self, key: Key) -> None:
        """Keep what may change of a key: its moments, and what its private part is sealed with."""
        table = tables.keys
        await self._connection.execute(
            update(table)
            .where(table.c.kid == key.kid)
            .values(
                sealed=key.sealed,
                signs_from=key.signs_from,
                signs_until=key.signs_until,
                gone_at=key.gone_at,
                revoked_at=key.revoked_at,
            )
        )

    async def sweep(self, *, gone_before: int) -> int:
        """Delete keys that have been gone for long. Returns how many."""
        table = tables.keys
        deleted = await self._connection.execute(delete(table).where(table.c.gone_at < gone_before))
        return deleted.rowcount
