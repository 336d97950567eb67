"""Audit events as rows: only ever added."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import bindparam, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.events import Event
from mapae.server.store import tables
from mapae.server.store.now import database_now

_ADD: Final = insert(tables.events).values(
    at=database_now(), name=bindparam("event"), members=bindparam("told")
)


class Events:
    """The audit trail of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, events: Sequence[Event]) -> None:
        """Keep what has happened, in this transaction."""
        if events:
            await self._connection.execute(
                _ADD, [{"event": event.name, "told": asdict(event)} for event in events]
            )
