"""Browsers: who is signed in behind a cookie, and what they have agreed to. Read in one statement."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.oauth.scope import Scope
from mapae.server.domain.consents import Consent
from mapae.server.domain.sessions import run_out
from mapae.server.domain.users import User
from mapae.server.store import tables
from mapae.server.store.now import database_now
from mapae.server.store.users import user_of


@dataclass(frozen=True, slots=True)
class Browser:
    """A live session of an enabled user, with their consents for one client. `now` is the database's time."""

    session_id: str
    authenticated_at: int
    user: User
    consents: tuple[Consent, ...]
    now: int


_TURNED_AT: Final = (
    select(func.max(tables.families.c.used_at))
    .where(tables.families.c.session_id == tables.sessions.c.id)
    .correlate(tables.sessions)
    .scalar_subquery()
)
_BEHIND: Final = (
    select(
        tables.users,
        tables.sessions.c.id.label("session_id"),
        tables.sessions.c.authenticated_at,
        tables.sessions.c.expires_at,
        _TURNED_AT.label("turned_at"),
        tables.consents.c.destination,
        tables.consents.c.scope,
        tables.consents.c.granted_at,
        database_now().label("now"),
    )
    .join(tables.sessions, tables.sessions.c.user_id == tables.users.c.id)
    .outerjoin(
        tables.consents,
        and_(
            tables.consents.c.user_id == tables.users.c.id,
            tables.consents.c.client_id == bindparam("asking"),
        ),
    )
    .where(
        tables.sessions.c.cookie_digest == bindparam("wanted"),
        tables.sessions.c.ended_at.is_(None),
        tables.users.c.disabled_at.is_(None),
    )
)


class Browsers:
    """The browsers of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def behind(self, cookie_digest: bytes, *, client_id: str | None, idle_s: int) -> Browser | None:
        """Who is signed in in the browser with this cookie, or None where nobody is (any more).

        Args:
            client_id: whose consents are wanted.
            idle_s: how long a session lives without being used, in seconds.
        """
        wanted = {"wanted": cookie_digest, "asking": client_id}
        rows = (await self._connection.execute(_BEHIND, wanted)).all()
        if not rows:
            return None
        first = rows[0]
        used_at = max(first.authenticated_at, first.turned_at or 0)
        if run_out(first.expires_at, used_at + idle_s, now=first.now):
            return None
        user = user_of(first)
        consents = tuple(
            Consent(user.id, client_id, row.destination, Scope.of(row.scope.split()), row.granted_at)
            for row in rows
            if client_id is not None and row.destination is not None
        )
        return Browser(first.session_id, first.authenticated_at, user, consents, first.now)
