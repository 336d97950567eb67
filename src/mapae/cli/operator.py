"""What the operator's verbs share: the settings, the database, and how their failures are said."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.server.settings import Settings, SettingsError, load_settings
from mapae.server.startup import CannotStart, check_schema, told
from mapae.server.store.engine import Database, open_database

Result = TypeVar("Result")


def operator_settings() -> Settings:
    """The settings of this shell.

    Raises:
        CommandFailed: with every problem there is.
    """
    try:
        return load_settings(os.environ)
    except SettingsError as error:
        raise CommandFailed("; ".join(error.problems), ExitCode.USAGE) from error


def with_database(settings: Settings, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """The result of `work` on the database of these settings, whose schema has to be this version's.

    Raises:
        CommandFailed: it cannot be used, or has another schema.
    """

    async def run() -> Result:
        database = open_database(settings.database_url.reveal())
        try:
            await check_schema(database)
            return await work(database)
        finally:
            await database.close()

    with failures_told():
        return asyncio.run(run())


@contextmanager
def failures_told() -> Iterator[None]:
    """Within it, what keeps the server from starting ends the command with one line."""
    try:
        with told():
            yield
    except CannotStart as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
