"""The schema's versions, and how a database gets from one to the next."""

import asyncio
from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from mapae.server.store.engine import Database, open_database, translated

#: Names our lock among a PostgreSQL database's advisory locks: two processes migrate one after the other.
_ADVISORY_LOCK = 0x6D61706165  # "mapae"


class SchemaState(StrEnum):
    """How a database's schema stands to this version of Mapae."""

    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


def migrate(url: str) -> None:
    """Bring the database of `url` to this version's schema; nothing happens when it is there.

    Raises:
        StoreUnavailable: the database cannot be reached or written.
        NewerSchema: it was made by a later version of Mapae.
    """

    async def run() -> None:
        database = open_database(url, create=True)
        try:
            await upgrade(database)
        finally:
            await database.close()

    asyncio.run(run())


class NewerSchema(Exception):
    """The database was migrated by a later version of Mapae than this one."""


async def upgrade(database: Database) -> None:
    """`migrate` on an open database."""
    async with translated(), database.writing.connect() as connection:
        await connection.run_sync(_upgrade)
        await connection.commit()


async def schema_state(engine: AsyncEngine) -> SchemaState:
    """How the schema stands, by the one row of Alembic's table."""
    async with translated(), engine.connect() as connection:
        return await connection.run_sync(_state)


def head() -> str:
    """The revision this version of Mapae works with."""
    revision = _scripts().get_current_head()
    assert revision is not None
    return revision


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if _state(connection) is SchemaState.NEWER:
        raise NewerSchema
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _state(connection: Connection) -> SchemaState:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision == head():
        return SchemaState.CURRENT
    if revision is None:
        return SchemaState.OLDER
    try:
        _scripts().get_revision(revision)
    except CommandError:
        return SchemaState.NEWER
    return SchemaState.OLDER


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
