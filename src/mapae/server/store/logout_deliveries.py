"""Back-channel logout as rows: an outbox. A session that ends fills it (store/sessions), deliveries empty it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.store import tables
from mapae.server.store.now import database_now

_TABLE: Final = tables.logout_deliveries


@dataclass(frozen=True, slots=True)
class Delivery:
    """A client that is to be told that a session is over. `tries` counts the one that is under way."""

    id: int
    client_id: str
    session_id: str
    subject: str
    tries: int


class LogoutDeliveries:
    """The outbox of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def any_due(self) -> bool:
        """Whether there is something to deliver now."""
        return bool(await self._connection.scalar(select(exists().where(_TABLE.c.due_at <= database_now()))))

    async def claim(self, *, most: int, lease_s: int) -> Sequence[Delivery]:
        """Take what is due, the oldest first; nobody else gets it for the next `lease_s` seconds."""
        due = (
            select(_TABLE.c.id)
            .where(_TABLE.c.due_at <= database_now())
            .order_by(_TABLE.c.due_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._connection.execute(
            update(_TABLE)
            .where(_TABLE.c.id.in_(due))
            .values(due_at=database_now() + lease_s, tries=_TABLE.c.tries + 1)
            .returning(_TABLE)
        )
        return [Delivery(row.id, row.client_id, row.session_id, row.subject, row.tries) for row in claimed]

    async def put_off(self, delivery_id: int, *, by_s: int) -> None:
        """Try again, in `by_s` seconds."""
        await self._connection.execute(
            update(_TABLE).where(_TABLE.c.id == delivery_id).values(due_at=database_now() + by_s)
        )

    async def done(self, delivery_id: int) -> None:
        """It was delivered, or given up."""
        await self._connection.execute(delete(_TABLE).where(_TABLE.c.id == delivery_id))
