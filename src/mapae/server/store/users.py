"""Users as rows."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, and_, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.users import User
from mapae.server.store import tables
from mapae.server.store.now import database_now

_NAMED: Final = select(tables.users).where(tables.users.c.username_key == bindparam("wanted"))
_SIGNING_IN: Final = (
    select(tables.users, tables.devices.c.user_id.is_not(None).label("known_device"))
    .outerjoin(
        tables.devices,
        and_(
            tables.devices.c.user_id == tables.users.c.id,
            tables.devices.c.instance_digest == bindparam("instance_digest"),
        ),
    )
    .where(tables.users.c.username_key == bindparam("wanted"))
)
_LIVE_SESSIONS: Final = (
    select(func.count())
    .where(
        tables.sessions.c.user_id == bindparam("user_id"),
        tables.sessions.c.ended_at.is_(None),
        tables.sessions.c.expires_at > database_now(),
    )
    .scalar_subquery()
)
_CONFIRM: Final = select(database_now().label("now"), _LIVE_SESSIONS.label("live_sessions")).where(
    tables.users.c.id == bindparam("user_id"),
    tables.users.c.password_hash == bindparam("hash"),
    tables.users.c.disabled_at.is_(None),
)
_CONFIRM_TO_READ: Final = _CONFIRM.with_for_update(read=True, of=tables.users)
_CONFIRM_TO_CHANGE: Final = _CONFIRM.with_for_update(key_share=True, of=tables.users)


class UsernameTaken(Exception):
    """A user of that name, compared case-folded, is there already. The transaction is spoilt: leave it."""


class Confirmed(NamedTuple):
    """The database's time, and how many sessions the user has that have not ended or expired."""

    now: int
    live_sessions: int


class Users:
    """The users of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def named(self, username_key: str) -> User | None:
        """The user of that comparison key."""
        row = (await self._connection.execute(_NAMED, {"wanted": username_key})).one_or_none()
        return user_of(row) if row else None

    async def signing_in(self, username_key: str, instance_digest: bytes | None) -> tuple[User | None, bool]:
        """The user of that comparison key, and whether this installation has signed in as them before."""
        wanted = {"wanted": username_key, "instance_digest": instance_digest}
        row = (await self._connection.execute(_SIGNING_IN, wanted)).one_or_none()
        if row is None:
            return None, False
        return user_of(row), row.known_device

    async def of_live_session(self, session_id: str, *, now: int) -> User | None:
        """The user of a session, unless it has ended or is past its absolute end."""
        query = (
            select(tables.users)
            .join(tables.sessions, tables.sessions.c.user_id == tables.users.c.id)
            .where(
                tables.sessions.c.id == session_id,
                tables.sessions.c.ended_at.is_(None),
                tables.sessions.c.expires_at > now,
            )
        )
        row = (await self._connection.execute(query)).one_or_none()
        return user_of(row) if row else None

    async def all(self) -> Sequence[User]:
        """Every user, by name."""
        query = select(tables.users).order_by(tables.users.c.username_key)
        return [user_of(row) for row in await self._connection.execute(query)]

    async def add(self, user: User) -> None:
        """Keep a new user.

        Raises:
            UsernameTaken: its name is.
        """
        try:
            await self._connection.execute(insert(tables.users).values(_columns(user)))
        except IntegrityError as error:
            raise UsernameTaken from error

    async def save(self, user: User) -> None:
        """Keep what has changed of a user."""
        await self._connection.execute(
            update(tables.users).where(tables.users.c.id == user.id).values(_columns(user))
        )

    async def confirm(self, user: User, *, to_change: bool = False) -> Confirmed | None:
        """What is so at this moment, if this user is still enabled with the same password; else None.

        The row stays locked against changes until the transaction ends; `to_change` has it locked for this one.
        """
        query = _CONFIRM_TO_CHANGE if to_change else _CONFIRM_TO_READ
        which = {"user_id": user.id, "hash": user.password_hash}
        row = (await self._connection.execute(query, which)).one_or_none()
        return Confirmed(row.now, row.live_sessions) if row else None

    async def renew_hash(self, user_id: str, password_hash: str) -> None:
        """Put a hash of the same password with today's parameters in the place of the old one."""
        await self._connection.execute(
            update(tables.users).where(tables.users.c.id == user_id).values(password_hash=password_hash)
        )


def _columns(user: User) -> dict[str, Any]:
    return asdict(user) | {"roles": list(user.roles)}


def user_of(row: Row[Any]) -> User:
    """The user whose columns stand in `row`, under their own names."""
    members = {column.name: row._mapping[column.name] for column in tables.users.columns}
    return User(**{**members, "roles": tuple(row.roles)})
