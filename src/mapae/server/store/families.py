"""Refresh families as rows: read under a lock in one statement, written in one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.families import Binder, BinderKind, Family
from mapae.server.domain.sessions import Ending, EndReason
from mapae.server.store import tables
from mapae.server.store.now import database_now
from mapae.server.store.requested_claims import from_column, to_column


@dataclass(frozen=True, slots=True)
class FamilyRead:
    """A family under its row lock, and what the refresh needs to know of its user at this moment."""

    family: Family
    user_id: str
    roles: tuple[str, ...]
    user_disabled: bool
    now: int


_ADD: Final = insert(tables.families)

_FOR_UPDATE: Final = (
    select(
        tables.families,
        tables.sessions.c.user_id,
        tables.users.c.roles,
        tables.users.c.disabled_at.label("user_disabled_at"),
        database_now().label("now"),
    )
    .join(tables.sessions, tables.sessions.c.id == tables.families.c.session_id)
    .join(tables.users, tables.users.c.id == tables.sessions.c.user_id)
    .where(tables.families.c.id.in_(bindparam("ids", expanding=True)))
    # A fixed order: two processes that lock the same families cannot wait for each other in a circle.
    .order_by(tables.families.c.id)
    .with_for_update(of=tables.families)
)

_TURNING: Final = (
    "used_at", "turn", "handed_out_at", "known", "late", "late_replays", "score", "uses_attempts",
    "attempt_digest", "address", "user_agent", "ended_at", "ended_reason",
)  # fmt: skip

_SAVE: Final = (
    update(tables.families)
    .where(
        tables.families.c.id == bindparam("family_id"),
        tables.families.c.turn == bindparam("read_turn"),
        tables.families.c.ended_at.is_(None),
    )
    .values({name: bindparam(f"new_{name}") for name in _TURNING})
)


class Families:
    """The families of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, family: Family) -> None:
        """Keep a new family."""
        await self._connection.execute(
            _ADD,
            {
                "id": family.id,
                "session_id": family.session_id,
                "client_id": family.client_id,
                "first_party": family.first_party,
                "binder_kind": family.binder.kind.value,
                "binder_digest": family.binder.digest,
                "audience": family.audience,
                "scope": family.scope,
                "subject": family.subject,
                "claims": to_column(family.claims),
                "auth_time": family.auth_time,
                "expires_at": family.expires_at,
                **_turning(family),
            },
        )

    async def for_update(self, ids: Collection[str]) -> Mapping[str, FamilyRead]:
        """The families of these ids, locked until the transaction ends; what is not there is left out."""
        rows = await self._connection.execute(_FOR_UPDATE, {"ids": sorted(ids)})
        return {row.id: _read(row) for row in rows}

    async def save(self, changes: Sequence[tuple[Family, Family]]) -> None:
        """Write families back, each as (as it was read, as it shall be)."""
        await self._connection.execute(
            _SAVE,
            [
                {"family_id": new.id, "read_turn": old.turn}
                | {f"new_{name}": value for name, value in _turning(new).items()}
                for old, new in changes
            ],
        )

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


def _turning(family: Family) -> dict[str, Any]:
    ending = family.ending
    return {
        "used_at": family.used_at,
        "turn": family.turn,
        "handed_out_at": family.handed_out_at,
        "known": family.known,
        "late": family.late,
        "late_replays": family.late_replays,
        "score": family.score,
        "uses_attempts": family.uses_attempts,
        "attempt_digest": family.attempt_digest,
        "address": family.address,
        "user_agent": family.user_agent,
        "ended_at": ending.at if ending else None,
        "ended_reason": ending.reason.value if ending else None,
    }


def _read(row: Row[Any]) -> FamilyRead:
    family = Family(
        id=row.id,
        session_id=row.session_id,
        client_id=row.client_id,
        first_party=row.first_party,
        binder=Binder(BinderKind(row.binder_kind), row.binder_digest),
        audience=row.audience,
        scope=row.scope,
        subject=row.subject,
        claims=from_column(row.claims),
        auth_time=row.auth_time,
        expires_at=row.expires_at,
        used_at=row.used_at,
        turn=row.turn,
        handed_out_at=row.handed_out_at,
        known=row.known,
        late=row.late,
        late_replays=row.late_replays,
        score=row.score,
        uses_attempts=row.uses_attempts,
        attempt_digest=row.attempt_digest,
        address=row.address,
        user_agent=row.user_agent,
        ending=Ending(EndReason(row.ended_reason), row.ended_at) if row.ended_reason else None,
    )
    return FamilyRead(
        family=family,
        user_id=row.user_id,
        roles=tuple(row.roles),
        user_disabled=row.user_disabled_at is not None,
        now=row.now,
    )
