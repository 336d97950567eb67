"""Guessing limits as rows: spent from in one atomic statement each."""

from collections.abc import Sequence

from sqlalchemy import Float, case, cast, literal, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.limits import Bucket
from mapae.server.store import tables
from mapae.server.store.now import database_now

_NOW = cast(database_now(), Float)


class Limits:
    """The buckets of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def spend(self, buckets: Sequence[Bucket]) -> float:
        """Spend one guess from each bucket: 0; or from none of them and say how many seconds to wait.

        When it has to be waited, the transaction is to be left without a commit.
        """
        # In a fixed order, so that two transactions cannot wait for each other in a circle.
        for bucket in sorted(buckets, key=lambda one: one.key):
            if not await self._spend(bucket):
                return await self._wait(bucket)
        return 0

    async def refund(self, buckets: Sequence[Bucket]) -> None:
        """Give back one guess to each bucket."""
        table = tables.limits
        for bucket in sorted(buckets, key=lambda one: one.key):
            await self._connection.execute(
                update(table)
                .where(table.c.key == bucket.key)
                .values(paid_until=table.c.paid_until - bucket.limit.interval_s)
            )

    async def _spend(self, bucket: Bucket) -> bool:
        table, limit = tables.limits, bucket.limit
        insert = sqlite_insert if self._connection.dialect.name == "sqlite" else postgresql_insert
        paid_until = case((table.c.paid_until > _NOW, table.c.paid_until), else_=_NOW)
        spent = await self._connection.scalars(
            insert(table)
            .values(key=bucket.key, paid_until=_NOW + literal(limit.interval_s))
            .on_conflict_do_update(
                index_elements=[table.c.key],
                set_={"paid_until": paid_until + limit.interval_s},
                where=table.c.paid_until <= _NOW + limit.tolerance_s,
            )
            .returning(table.c.key)
        )
        return spent.one_or_none() is not None

    async def _wait(self, bucket: Bucket) -> float:
        query = select(tables.limits.c.paid_until - _NOW).where(tables.limits.c.key == bucket.key)
        ahead: float = (await self._connection.scalars(query)).one()
        return max(1.0, ahead - bucket.limit.tolerance_s)
