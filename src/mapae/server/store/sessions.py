"""Sessions as rows. Ending one ends its refresh families, and has its clients told, in the same statement's company."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    SmallInteger,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.sessions import Ending, EndReason, Session, run_out
from mapae.server.store import tables


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session with the name of its user, when it was last used, and how it ended, if it has.

    It is used when the user is authenticated in it, and when any of its families turns.
    """

    session: Session
    username: str
    used_at: int
    ending: Ending | None


_ADD: Final = insert(tables.sessions)
_OF_COOKIE: Final = select(tables.sessions).where(
    tables.sessions.c.cookie_digest == bindparam("wanted"), tables.sessions.c.ended_at.is_(None)
)
# Back-channel logout: every client that got something from the session, and wants to be told.
_TELL: Final = insert(tables.logout_deliveries).from_select(
    ["client_id", "session_id", "subject", "created_at", "due_at", "tries"],
    select(
        tables.families.c.client_id,
        tables.families.c.session_id,
        func.coalesce(tables.families.c.subject, tables.sessions.c.user_id),
        bindparam("now", type_=BigInteger),
        bindparam("now", type_=BigInteger),
        literal(0, SmallInteger),
    )
    .distinct()
    .join(tables.sessions, tables.sessions.c.id == tables.families.c.session_id)
    .join(tables.clients, tables.clients.c.client_id == tables.families.c.client_id)
    .where(
        tables.sessions.c.id.in_(bindparam("ended", expanding=True)),
        tables.clients.c.backchannel_logout_uri.is_not(None),
    ),
)
_BEYOND: Final = (
    select(tables.sessions.c.id)
    .where(
        tables.sessions.c.user_id == bindparam("user_id"),
        tables.sessions.c.ended_at.is_(None),
        tables.sessions.c.expires_at > bindparam("now"),
    )
    .order_by(tables.sessions.c.created_at.desc(), tables.sessions.c.id)
    .offset(bindparam("keep", type_=Integer))
)


class Sessions:
    """The sessions of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        """Keep a new session."""
        await self._connection.execute(
            _ADD,
            {
                "id": session.id,
                "user_id": session.user_id,
                "client_id": session.client_id,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
                "authenticated_at": session.authenticated_at,
                "cookie_digest": session.cookie_digest,
                "device_name": session.device_name,
                "address": session.address,
                "user_agent": session.user_agent,
            },
        )

    async def of_cookie(self, cookie_digest: bytes) -> Session | None:
        """The session that the browser with this cookie is signed in in, unless it has ended.

        Does not check: its absolute and idle end.
        """
        row = (await self._connection.execute(_OF_COOKIE, {"wanted": cookie_digest})).one_or_none()
        return _session(row) if row else None

    async def authenticated_again(self, session_id: str, *, cookie_digest: bytes, now: int) -> None:
        """The user of a session has signed in again; its browser has another cookie from now on."""
        await self._connection.execute(
            update(tables.sessions)
            .where(tables.sessions.c.id == session_id)
            .values(authenticated_at=now, cookie_digest=cookie_digest)
        )

    async def clients_of(self, session_id: str) -> Sequence[str]:
        """The ids of the clients that got something from this session."""
        query = (
            select(tables.families.c.client_id).distinct().where(tables.families.c.session_id == session_id)
        )
        return (await self._connection.scalars(query)).all()

    async def live_of(self, user_id: str, *, now: int, idle_s: int) -> Sequence[ListedSession]:
        """The sessions of a user that are not over, newest first."""
        return await self._listed(tables.sessions.c.user_id == user_id, now=now, idle_s=idle_s, ended=False)

    async def listed(
        self, *, now: int, idle_s: int, username_key: str | None, ended: bool, most: int
    ) -> Sequence[ListedSession]:
        """Sessions of one user or of all, newest first: those that are over, or those that are not."""
        which = tables.users.c.username_key == username_key if username_key is not None else true()
        return await self._listed(which, now=now, idle_s=idle_s, ended=ended, most=most)

    async def user_of(self, session_id: str) -> str | None:
        """The id of the user whose session this is."""
        query = select(tables.sessions.c.user_id).where(tables.sessions.c.id == session_id)
        return (await self._connection.scalars(query)).one_or_none()

    async def _listed(
        self, which: ColumnElement[bool], *, now: int, idle_s: int, ended: bool, most: int | None = None
    ) -> Sequence[ListedSession]:
        used_at = _last_used(func.max(tables.families.c.used_at))
        # Nobody writes down that a session has run out before its token is presented again.
        over = or_(
            tables.sessions.c.ended_at.is_not(None),
            tables.sessions.c.expires_at <= now,
            used_at <= now - idle_s,
        )
        query = (
            select(tables.sessions, tables.users.c.username, used_at.label("used_at"))
            .join(tables.users, tables.users.c.id == tables.sessions.c.user_id)
            .outerjoin(tables.families, tables.families.c.session_id == tables.sessions.c.id)
            .where(which)
            .group_by(tables.sessions.c.id, tables.users.c.id)
            .having(over if ended else not_(over))
            .order_by(tables.sessions.c.created_at.desc(), tables.sessions.c.id)
            .limit(most)
        )
        rows = (await self._connection.execute(query)).all()
        return [
            ListedSession(
                session,
                row.username,
                row.used_at,
                session.ending or run_out(session.expires_at, row.used_at + idle_s, now=now),
            )
            for row in rows
            for session in [_session(row)]
        ]

    async def end(self, session_id: str, *, user_id: str, reason: EndReason, now: int) -> list[str]:
        """End this session of this user, and its families. Returns the ids that ended: one, or none."""
        return await self._end(
            and_(tables.sessions.c.id == session_id, tables.sessions.c.user_id == user_id), reason, now
        )

    async def end_all(
        self, user_id: str, *, reason: EndReason, now: int, except_id: str | None = None
    ) -> list[str]:
        """End the sessions of a user, but for one. Returns the ids of those that ended."""
        which = tables.sessions.c.user_id == user_id
        if except_id is not None:
            which = and_(which, tables.sessions.c.id != except_id)
        return await self._end(which, reason, now)

    async def end_oldest(self, user_id: str, *, keep: int, reason: EndReason, now: int) -> list[str]:
        """End the oldest live sessions of a user, so that `keep` are left. Returns the ids that ended."""
        which = {"user_id": user_id, "now": now, "keep": keep}
        beyond = (await self._connection.scalars(_BEYOND, which)).all()
        return await self._end(tables.sessions.c.id.in_(beyond), reason, now) if beyond else []

    async def _end(self, which: ColumnElement[bool], reason: EndReason, now: int) -> list[str]:
        ending = {"ended_at": now, "ended_reason": reason.value}
        # Families first and in order, as every other writer locks them: see Families.for_update.
        ids = (
            await self._connection.scalars(
                select(tables.families.c.id)
                .join(tables.sessions, tables.sessions.c.id == tables.families.c.session_id)
                .where(which, tables.families.c.ended_at.is_(None))
                .order_by(tables.families.c.id)
                .with_for_update(of=tables.families)
            )
        ).all()
        if ids:
            await self._connection.execute(
                update(tables.families).where(tables.families.c.id.in_(ids)).values(ending)
            )
        ended = await self._connection.scalars(
            update(tables.sessions)
            .where(which, tables.sessions.c.ended_at.is_(None))
            .values(ending)
            .returning(tables.sessions.c.id)
        )
        over = list(ended)
        if over:
            await self._connection.execute(_TELL, {"ended": over, "now": now})
        return over


def _last_used(turned_at: ColumnElement[int]) -> ColumnElement[int]:
    """A session without families was used when its user was authenticated."""
    authenticated_at = tables.sessions.c.authenticated_at
    return case((turned_at > authenticated_at, turned_at), else_=authenticated_at)


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        client_id=row.client_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        authenticated_at=row.authenticated_at,
        cookie_digest=row.cookie_digest,
        device_name=row.device_name,
        address=row.address,
        user_agent=row.user_agent,
        ending=Ending(EndReason(row.ended_reason), row.ended_at) if row.ended_reason else None,
    )
