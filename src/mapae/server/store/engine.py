"""Engines: one URL in, a pool for work that writes and one for work that only reads out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mapae.server.store.unit import Unit

#: Seconds that connecting, waiting for a free connection, and one statement may take.
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 5
#: Seconds a writer waits for another process's transaction on the same SQLite file.
BUSY_TIMEOUT_S = 5


class StoreUnavailable(Exception):
    """The database cannot be reached, is read-only, full or too busy. Nothing was changed.

    The text is for the operator: what happened, without credentials.
    """


class NoDatabase(StoreUnavailable):
    """There is no SQLite file of that name."""


def driver_url(url: str) -> URL:
    """`sqlite:///…` or `postgresql://…` as SQLAlchemy names them with our drivers."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    # What everyone calls sslmode, asyncpg calls ssl; the words are the same.
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    return parsed.set(drivername="postgresql+asyncpg", query=query)


@dataclass(frozen=True, slots=True)
class Database:
    """Where units of work come from. On SQLite all writers of a process share one connection."""

    writing: AsyncEngine
    reading_engine: AsyncEngine

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """One transaction: `commit()` keeps it, leaving without undoes it.

        Raises:
            StoreUnavailable: the database cannot do it now.
        """
        async with translated(), self.writing.connect() as connection:
            yield Unit(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Unit]:
        """Statements without a transaction around them, for work that reads.

        Raises:
            StoreUnavailable: the database cannot do it now.
        """
        async with translated(), self.reading_engine.connect() as connection:
            yield Unit(connection)

    async def close(self) -> None:
        """Close every connection."""
        await self.writing.dispose()
        if self.reading_engine.sync_engine.pool is not self.writing.sync_engine.pool:
            await self.reading_engine.dispose()


def open_database(url: str, *, pool_size: int = 10, create: bool = False) -> Database:
    """The database of `url`. Connects only when the first unit of work does.

    Args:
        url: `sqlite:///path` or `postgresql://user:password@host:port/name`.
        pool_size: connections to PostgreSQL; on SQLite the connections that read.
        create: make an SQLite file that is not there yet.
    Raises:
        NoDatabase: the SQLite file is not there, and not to be made.
        StoreUnavailable: it cannot be opened or made.
    """
    target = driver_url(url)
    if target.get_backend_name() == "sqlite":
        return _open_sqlite(target, pool_size, create=create)
    return _open_postgresql(target, pool_size)


def _open_postgresql(url: URL, pool_size: int) -> Database:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_reset_on_return="rollback",
        connect_args={"timeout": CONNECT_TIMEOUT_S, "command_timeout": STATEMENT_TIMEOUT_S},
    )
    return Database(engine, engine.execution_options(isolation_level="AUTOCOMMIT"))


def _open_sqlite(url: URL, pool_size: int, *, create: bool) -> Database:
    _open_file(Path(url.database or ""), create=create)
    options = {"hide_parameters": True, "max_overflow": 0, "pool_timeout": CONNECT_TIMEOUT_S}
    writing = create_async_engine(url, pool_size=1, **options)
    reading = create_async_engine(url, pool_size=pool_size, **options)
    for engine in (writing, reading):
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    # A writer takes its place at once: a transaction that began by reading could not always go on to write.
    event.listen(
        writing.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
    )
    return Database(writing, reading)


def _open_file(path: Path, *, create: bool) -> None:
    """Open the file before SQLite does: it would make one that others can read, or one that nobody wanted."""
    try:
        if create:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600))
    except FileNotFoundError as error:
        if create:
            raise StoreUnavailable(f"{path}: {error.strerror}") from error
        raise NoDatabase(f"{path} is not there") from error
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # no transactions behind our back
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Within it, what the drivers raise when the database cannot do it now is StoreUnavailable."""
    try:
        yield
    except (PoolTimeout, ConnectionError, TimeoutError, OSError) as error:
        raise StoreUnavailable(_told(error)) from error
    except DBAPIError as error:
        if _is_the_databases_state(error):
            raise StoreUnavailable(_told(error)) from error
        raise


#: SQLSTATE classes (PostgreSQL manual, appendix A): connection, authorisation, no such database, transaction
#: rolled back by a deadlock, resources, operator intervention; read-only transaction, insufficient privilege.
_REFUSING_CLASSES: Final = frozenset({"08", "28", "3D", "40", "53", "57"})
_REFUSING_STATES: Final = frozenset({"25006", "42501"})
_REFUSING_SQLITE: Final = frozenset({"SQLITE_NOTADB", "SQLITE_CORRUPT"})


def _is_the_databases_state(error: DBAPIError) -> bool:
    """Whether the statement was sound and the database could not or would not do it."""
    if (sqlite := getattr(error.orig, "sqlite_errorname", None)) is not None:
        # SQLITE_ERROR: there is no such table, or our SQL is wrong.
        return sqlite in _REFUSING_SQLITE or (
            isinstance(error, OperationalError) and sqlite != "SQLITE_ERROR"
        )
    state = getattr(error.orig, "sqlstate", None) or ""
    return (
        error.connection_invalidated
        or isinstance(error, OperationalError)
        or state[:2] in _REFUSING_CLASSES
        or state in _REFUSING_STATES
    )


def _told(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
