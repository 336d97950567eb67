"""Refresh families as rows: read under a lock in one statement, written in one."""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import ARRAY, JSON, ColumnElement, Row, Text, any_, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.families import Binder, BinderKind, Family
from mapae.server.domain.sessions import Ending, EndReason
from mapae.server.store import tables
from mapae.server.store.now import database_now
from mapae.server.store.requested_claims import from_column, to_column


class FamilyRead(NamedTuple):
    """A family under its row lock, and what the refresh needs to know of its user and session at this moment."""

    family: Family
    user_id: str
    roles: tuple[str, ...]
    user_disabled: bool
    session_ending: Ending | None
    now: int


_TABLE: Final = tables.families
#: The members of a family that are kept as they are.
_PLAIN: Final = tuple(name for name in Family._fields if name not in ("binder", "claims", "ending"))
#: What a turn writes, and the end.
_TURNING: Final = (
    "used_at", "turn", "handed_out_at", "known", "late", "late_replays", "score", "uses_attempts",
    "attempt_digest", "address", "user_agent",
)  # fmt: skip
_ENDING: Final = ("ended_at", "ended_reason")

_ADD: Final = insert(_TABLE)


def _for_update(among: ColumnElement[bool]) -> Any:
    return (
        select(
            *(_TABLE.c[name] for name in (*_PLAIN, "binder_kind", "binder_digest", "claims", *_ENDING)),
            tables.sessions.c.user_id,
            tables.users.c.roles,
            tables.users.c.disabled_at,
            tables.sessions.c.ended_at,
            tables.sessions.c.ended_reason,
            database_now(),
        )
        .join(tables.sessions, tables.sessions.c.id == _TABLE.c.session_id)
        .join(tables.users, tables.users.c.id == tables.sessions.c.user_id)
        .where(among)
        # A fixed order: two processes that lock the same families cannot wait for each other in a circle.
        .order_by(_TABLE.c.id)
        .with_for_update(of=_TABLE)
    )


# One statement however many the ids are, so that it is prepared once.
_FOR_UPDATE: Final = {
    "postgresql": _for_update(_TABLE.c.id == any_(bindparam("ids", type_=ARRAY(Text)))),
    "sqlite": _for_update(
        _TABLE.c.id.in_(select(func.json_each(bindparam("ids", type_=JSON)).table_valued("value").c.value))
    ),
}

_SAVE: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("family_id"),
        _TABLE.c.turn == bindparam("read_turn"),
        _TABLE.c.ended_at.is_(None),
    )
    .values({name: bindparam(f"new_{name}") for name in (*_TURNING, *_ENDING)})
)
_SAVED: Final = ("family_id", "read_turn", *(f"new_{name}" for name in (*_TURNING, *_ENDING)))
_turning: Final = attrgetter(*_TURNING)


class Families:
    """The families of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, *families: Family) -> None:
        """Keep new families."""
        await self._connection.execute(_ADD, [_columns(family) for family in families])

    async def for_update(self, ids: Collection[str]) -> Mapping[str, FamilyRead]:
        """The families of these ids, locked until the transaction ends; what is not there is left out."""
        statement = _FOR_UPDATE[self._connection.dialect.name]
        reads = map(_read, await self._connection.execute(statement, {"ids": list(ids)}))
        return {read.family.id: read for read in reads}

    async def save(self, changes: Sequence[tuple[Family, Family]]) -> None:
        """Write families back, each as (as it was read, as it shall be)."""
        await self._connection.execute(
            _SAVE,
            [
                dict(zip(_SAVED, (new.id, old.turn, *_turning(new), *_ending(new)), strict=True))
                for old, new in changes
            ],
        )

    async def asked_of_userinfo(self, session_id: str, client_id: str) -> Collection[str]:
        """The claims that a client has been granted in a session because it asked for them one by one."""
        query = select(_TABLE.c.claims).where(
            _TABLE.c.session_id == session_id, _TABLE.c.client_id == client_id, _TABLE.c.ended_at.is_(None)
        )
        granted = map(from_column, await self._connection.scalars(query))
        return {name for claims in granted for name in claims.userinfo}

    async def end_of_client(self, client_id: str, *, reason: EndReason, now: int) -> int:
        """End every family of a client; the sessions live on. Returns how many ended."""
        which = (tables.families.c.client_id == client_id, tables.families.c.ended_at.is_(None))
        # In order, as every other writer locks them.
        locked = select(tables.families.c.id).where(*which).order_by(tables.families.c.id)
        await self._connection.execute(locked.with_for_update(of=tables.families))
        ended = await self._connection.execute(
            update(tables.families).where(*which).values(ended_at=now, ended_reason=reason.value)
        )
        return ended.rowcount


def _columns(family: Family) -> dict[str, Any]:
    return {
        **{name: getattr(family, name) for name in _PLAIN},
        **dict(zip(_ENDING, _ending(family), strict=True)),
        "binder_kind": family.binder.kind.value,
        "binder_digest": family.binder.digest,
        "claims": to_column(family.claims),
    }


def _ending(family: Family) -> tuple[int | None, str | None]:
    return (family.ending.at, family.ending.reason.value) if family.ending else (None, None)


def _read(row: Row[Any]) -> FamilyRead:
    kind, digest, claims, *ending, user_id, roles, disabled_at, over_at, over_reason, now = row[len(_PLAIN) :]
    family = Family(
        **dict(zip(_PLAIN, row, strict=False)),
        binder=Binder(BinderKind(kind), digest),
        claims=from_column(claims),
        ending=_ending_of(*ending),
    )
    return FamilyRead(
        family, user_id, tuple(roles), disabled_at is not None, _ending_of(over_at, over_reason), now
    )


def _ending_of(at: int | None, reason: str | None) -> Ending | None:
    return Ending(EndReason(reason), at) if reason is not None and at is not None else None
