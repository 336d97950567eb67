"""Consents as rows."""

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.consents import Consent
from mapae.server.store import tables


class Consents:
    """The consents of one connection. They are read with the browser's session: see store/browsers."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def save(self, consent: Consent) -> None:
        """Keep what a user has agreed to, in the place of what they had."""
        insert = sqlite_insert if self._connection.dialect.name == "sqlite" else postgresql_insert
        table = tables.consents
        agreed = {"scope": str(consent.scope), "granted_at": consent.granted_at}
        who = {
            "user_id": consent.user_id,
            "client_id": consent.client_id,
            "destination": consent.destination,
        }
        await self._connection.execute(
            insert(table)
            .values(**who, **agreed)
            .on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=agreed)
        )
