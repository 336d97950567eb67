"""Devices as rows: the installations that have signed in to an account, so that strangers cannot lock them out."""

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.store import tables


class Devices:
    """The known devices of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def remember(self, user_id: str, instance_digest: bytes, *, now: int) -> None:
        """Note that this installation has signed in."""
        insert = sqlite_insert if self._connection.dialect.name == "sqlite" else postgresql_insert
        await self._connection.execute(
            insert(tables.devices)
            .values(user_id=user_id, instance_digest=instance_digest, signed_in_at=now)
            .on_conflict_do_update(
                index_elements=[tables.devices.c.user_id, tables.devices.c.instance_digest],
                set_={"signed_in_at": now},
            )
        )
