"""Periodic jobs as rows: who may run one, and the rows that they sweep."""

from typing import Any

from sqlalchemy import Column, Table, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.store import tables
from mapae.server.store.now import database_now


class Jobs:
    """The jobs of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, name: str, *, interval_s: int) -> bool:
        """Whether the job is due and ours to run; nobody else is told so for the next `interval_s` seconds."""
        insert = sqlite_insert if self._connection.dialect.name == "sqlite" else postgresql_insert
        await self._connection.execute(
            insert(tables.jobs).values(name=name, due_at=0).on_conflict_do_nothing()
        )
        claimed = await self._connection.scalars(
            update(tables.jobs)
            .where(tables.jobs.c.name == name, tables.jobs.c.due_at <= database_now())
            .values(due_at=database_now() + interval_s)
            .returning(tables.jobs.c.name)
        )
        return claimed.one_or_none() is not None

    async def sweep_sessions(self, *, over_before: int, most: int) -> int:
        """Delete sessions, with their families, whose absolute end is long past. Returns how many."""
        return await self._sweep(tables.sessions, tables.sessions.c.expires_at, over_before, most)

    async def sweep_limits(self, *, over_before: int, most: int) -> int:
        """Delete buckets that are full again. Returns how many."""
        return await self._sweep(tables.limits, tables.limits.c.paid_until, float(over_before), most)

    async def sweep_devices(self, *, over_before: int, most: int) -> int:
        """Delete devices that have not signed in since. Returns how many."""
        return await self._sweep(tables.devices, tables.devices.c.signed_in_at, over_before, most)

    async def sweep_assertions(self, *, over_before: int, most: int) -> int:
        """Delete what is noted of client assertions that have expired. Returns how many."""
        return await self._sweep(tables.assertions, tables.assertions.c.expires_at, over_before, most)

    async def sweep_codes(self, *, over_before: int, most: int) -> int:
        """Delete codes, spent or not, that expired long ago. Returns how many."""
        return await self._sweep(tables.codes, tables.codes.c.expires_at, over_before, most)

    async def sweep_revoked_tokens(self, *, over_before: int, most: int) -> int:
        """Delete what is noted of revoked tokens that have expired since. Returns how many."""
        return await self._sweep(tables.revoked_tokens, tables.revoked_tokens.c.expires_at, over_before, most)

    async def sweep_events(self, *, over_before: int, most: int) -> int:
        """Delete audit events that are older. Returns how many."""
        return await self._sweep(tables.events, tables.events.c.at, over_before, most)

    async def _sweep(self, table: Table, moment: Column[Any], over_before: float, most: int) -> int:
        key = tuple_(*table.primary_key.columns)
        bite = select(*table.primary_key.columns).where(moment < over_before).order_by(moment).limit(most)
        swept = await self._connection.execute(
            delete(table).where(key.in_(bite)).returning(*table.primary_key.columns)
        )
        return len(swept.all())
