"""Pairwise subjects as rows: what the clients of one sector know a user as (OpenID Connect Core section 8.1)."""

from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.store import tables

_OF: Final = select(tables.subjects.c.subject).where(
    tables.subjects.c.sector == bindparam("of_sector"), tables.subjects.c.user_id == bindparam("of_user")
)


class Subjects:
    """The pairwise subjects of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, sector: str, user_id: str, *, new: str) -> str:
        """The subject of a user in a sector: always the same; `new`, a fresh id, where there is none yet."""
        which = {"of_sector": sector, "of_user": user_id}
        subject = (await self._connection.scalars(_OF, which)).one_or_none()
        if subject is None:
            insert = sqlite_insert if self._connection.dialect.name == "sqlite" else postgresql_insert
            row = {"sector": sector, "user_id": user_id, "subject": new}
            await self._connection.execute(insert(tables.subjects).values(row).on_conflict_do_nothing())
            # Another request may have been first.
            subject = (await self._connection.scalars(_OF, which)).one()
        return str(subject)
