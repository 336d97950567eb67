"""Guessing limits as rows: spent from in one atomic statement."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Float, bindparam, case, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.limits import Bucket
from mapae.server.store import tables
from mapae.server.store.now import database_now

_NOW = cast(database_now(), Float)
#: A guess spends from an account and an address, or from a device alone.
_MOST_BUCKETS: Final = 2


def _spending(insert: Any, buckets: int) -> Any:
    rows = [
        {
            "key": bindparam(f"key{number}"),
            "paid_until": _NOW + bindparam(f"interval{number}", type_=Float),
            "interval_s": bindparam(f"interval{number}", type_=Float),
            "tolerance_s": bindparam(f"tolerance{number}", type_=Float),
        }
        for number in range(buckets)
    ]
    statement = insert(tables.limits).values(rows)
    paid_until, new = tables.limits.c.paid_until, statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[tables.limits.c.key],
        set_={
            "paid_until": case((paid_until > _NOW, paid_until), else_=_NOW) + new.interval_s,
            "interval_s": new.interval_s,
            "tolerance_s": new.tolerance_s,
        },
        where=paid_until <= _NOW + new.tolerance_s,
    ).returning(tables.limits.c.key)


# Statements of every sign-in are made once: making one costs more than running it.
_SPEND: Final = {
    (dialect, buckets): _spending(insert, buckets)
    for dialect, insert in (("sqlite", sqlite_insert), ("postgresql", postgresql_insert))
    for buckets in range(1, _MOST_BUCKETS + 1)
}
_REFUND: Final = (
    update(tables.limits)
    .where(tables.limits.c.key == bindparam("bucket"))
    .values(paid_until=tables.limits.c.paid_until - tables.limits.c.interval_s)
)


class Limits:
    """The buckets of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def spend(self, buckets: Sequence[Bucket]) -> float:
        """Spend one guess from each of one or two buckets: 0; else say how many seconds to wait.

        When it has to be waited, the transaction is to be left without a commit, and nothing was spent.
        """
        values: dict[str, Any] = {}
        for number, bucket in enumerate(_in_order(buckets)):
            values |= {
                f"key{number}": bucket.key,
                f"interval{number}": bucket.limit.interval_s,
                f"tolerance{number}": bucket.limit.tolerance_s,
            }
        statement = _SPEND[self._connection.dialect.name, len(buckets)]
        spent = (await self._connection.scalars(statement, values)).all()
        return 0 if len(spent) == len(buckets) else await self._wait(buckets)

    async def refund(self, buckets: Sequence[Bucket]) -> None:
        """Give back one guess to each bucket."""
        await self._connection.execute(_REFUND, [{"bucket": bucket.key} for bucket in _in_order(buckets)])

    async def _wait(self, buckets: Sequence[Bucket]) -> float:
        limits = tables.limits.c
        query = select(func.max(limits.paid_until - limits.tolerance_s) - _NOW).where(
            limits.key.in_([bucket.key for bucket in buckets])
        )
        wait_s: float = (await self._connection.scalars(query)).one()
        return max(1.0, wait_s)


def _in_order(buckets: Sequence[Bucket]) -> list[Bucket]:
    """In one order for everyone, so that two transactions cannot wait for each other in a circle."""
    return sorted(buckets, key=lambda bucket: bucket.key)
