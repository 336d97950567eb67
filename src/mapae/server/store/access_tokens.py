"""What the store knows of access tokens: those that were revoked, and the grants that others come from."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import ARRAY, JSON, ColumnElement, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.access_tokens import ClientGrant
from mapae.server.store import tables
from mapae.server.store.now import database_now

_SESSIONS: Final = tables.sessions.c
_FAMILIES: Final = tables.families.c


def _among(column: ColumnElement[str], dialect: str) -> ColumnElement[bool]:
    """That a column is one of `wanted`: one statement however many they are, so that it is prepared once."""
    if dialect == "postgresql":
        return column == any_(bindparam("wanted", type_=ARRAY(Text)))
    return column.in_(select(func.json_each(bindparam("wanted", type_=JSON)).table_valued("value").c.value))


def _grants(dialect: str) -> Any:
    return (
        select(
            _FAMILIES.session_id,
            _FAMILIES.client_id,
            _SESSIONS.user_id,
            tables.users.c.disabled_at.is_not(None),
            _SESSIONS.ended_at.is_not(None),
            _SESSIONS.expires_at,
            func.count() - func.count(_FAMILIES.ended_at),
            func.max(_FAMILIES.ended_at),
            database_now(),
        )
        .join(tables.sessions, _SESSIONS.id == _FAMILIES.session_id)
        .join(tables.users, tables.users.c.id == _SESSIONS.user_id)
        .where(_among(_FAMILIES.session_id, dialect))
        .group_by(_FAMILIES.session_id, _FAMILIES.client_id, _SESSIONS.id, tables.users.c.id)
    )


_GRANTS: Final = {dialect: _grants(dialect) for dialect in ("sqlite", "postgresql")}
_REVOKED: Final = {
    dialect: select(tables.revoked_tokens.c.jti).where(_among(tables.revoked_tokens.c.jti, dialect))
    for dialect in ("sqlite", "postgresql")
}
_REVOKE: Final = {
    dialect: insert(tables.revoked_tokens).on_conflict_do_nothing()
    for dialect, insert in (("sqlite", sqlite_insert), ("postgresql", postgresql_insert))
}


class AccessTokens:
    """What one connection knows of access tokens."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def revoke(self, jti: str, *, expires_at: int) -> None:
        """Note that a token is revoked; kept until it has expired anyway."""
        statement = _REVOKE[self._connection.dialect.name]
        await self._connection.execute(statement, {"jti": jti, "expires_at": expires_at})

    async def revoked(self, jtis: Collection[str]) -> Collection[str]:
        """Those of the tokens that were revoked."""
        statement = _REVOKED[self._connection.dialect.name]
        return frozenset(await self._connection.scalars(statement, {"wanted": list(jtis)}))

    async def grants(self, session_ids: Collection[str]) -> Mapping[tuple[str, str], ClientGrant]:
        """What was granted in these sessions, by session and client."""
        statement = _GRANTS[self._connection.dialect.name]
        rows = await self._connection.execute(statement, {"wanted": list(session_ids)})
        return {
            (session_id, client_id): ClientGrant(
                user_id, disabled, ended, expires_at, live_families > 0, last_ended_at, now
            )
            for session_id, client_id, user_id, disabled, ended, expires_at, live_families, last_ended_at, now in rows
        }
