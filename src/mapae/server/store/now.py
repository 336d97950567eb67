"""The database's clock as an SQL expression."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class database_now(FunctionElement[int]):  # noqa: N801  # reads as the SQL function it is
    """The database's clock, in whole NumericDate seconds: the same for every process."""

    type = BigInteger()
    inherit_cache = True


@compiles(database_now, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **_: Any) -> str:
    return "floor(extract(epoch from clock_timestamp()))::bigint"


@compiles(database_now, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **_: Any) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER)"
