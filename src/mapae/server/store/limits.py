"""Guessing limits as rows: spent from in one atomic statement each."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Float, bindparam, case, cast, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.limits import Bucket
from mapae.server.store import tables
from mapae.server.store.now import database_now

_NOW = cast(database_now(), Float)
_INTERVAL: Final = bindparam("interval_s", type_=Float)


def _spending(insert: Any) -> Any:
    paid_until = tables.limits.c.paid_until
    return (
        insert(tables.limits)
        .values(key=bindparam("bucket"), paid_until=_NOW + _INTERVAL)
        .on_conflict_do_update(
            index_elements=[tables.limits.c.key],
            set_={"paid_until": case((paid_until > _NOW, paid_until), else_=_NOW) + _INTERVAL},
            where=paid_until <= _NOW + bindparam("tolerance_s", type_=Float),
        )
        .returning(tables.limits.c.key)
    )


# Statements of every sign-in are made once: making one costs more than running it.
_SPEND: Final = {"sqlite": _spending(sqlite_insert), "postgresql": _spending(postgresql_insert)}
_REFUND: Final = (
    update(tables.limits)
    .where(tables.limits.c.key == bindparam("bucket"))
    .values(paid_until=tables.limits.c.paid_until - _INTERVAL)
)


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
        refunds = [
            {"bucket": bucket.key, "interval_s": bucket.limit.interval_s}
            for bucket in sorted(buckets, key=lambda one: one.key)
        ]
        if refunds:
            await self._connection.execute(_REFUND, refunds)

    async def _spend(self, bucket: Bucket) -> bool:
        limit = bucket.limit
        spent = await self._connection.scalars(
            _SPEND[self._connection.dialect.name],
            {"bucket": bucket.key, "interval_s": limit.interval_s, "tolerance_s": limit.tolerance_s},
        )
        return spent.one_or_none() is not None

    async def _wait(self, bucket: Bucket) -> float:
        query = select(tables.limits.c.paid_until - _NOW).where(tables.limits.c.key == bucket.key)
        ahead: float = (await self._connection.scalars(query)).one()
        return max(1.0, ahead - bucket.limit.tolerance_s)
