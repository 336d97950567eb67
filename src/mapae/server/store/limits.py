"""Guessing limits as rows: spent from in one atomic statement."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Float, bindparam, case, cast, func, select
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
_AHEAD: Final = select(func.max(tables.limits.c.paid_until - tables.limits.c.tolerance_s) - _NOW).where(
    tables.limits.c.key.in_(bindparam("keys", expanding=True))
)


class Limits:
    """The buckets of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def wait_s(self, buckets: Sequence[Bucket]) -> float:
        """Seconds until a guess can be spent from every bucket; 0 or less when that is now."""
        keys = {"keys": [bucket.key for bucket in buckets]}
        ahead_s: float | None = (await self._connection.scalars(_AHEAD, keys)).one()
        return ahead_s or 0

    async def spend(self, buckets: Sequence[Bucket]) -> bool:
        """Spend one guess from each of at most two buckets. Whether all of them had one.

        If not, leave the transaction without a commit, and nothing was spent.
        """
        if not buckets:
            return True
        # In one order for everyone, so that two transactions cannot wait for each other in a circle.
        values: dict[str, Any] = {}
        for number, bucket in enumerate(sorted(buckets, key=lambda one: one.key)):
            values |= {
                f"key{number}": bucket.key,
                f"interval{number}": bucket.limit.interval_s,
                f"tolerance{number}": bucket.limit.tolerance_s,
            }
        statement = _SPEND[self._connection.dialect.name, len(buckets)]
        spent = (await self._connection.scalars(statement, values)).all()
        return len(spent) == len(buckets)
