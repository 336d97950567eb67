"""Authorization codes as rows, each read under a lock with what its redemption needs to know."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.oauth.pkce import Challenge
from mapae.server.domain.codes import Code
from mapae.server.domain.sessions import Ending, EndReason
from mapae.server.domain.users import User
from mapae.server.store import tables
from mapae.server.store.now import database_now
from mapae.server.store.requested_claims import from_column, to_column
from mapae.server.store.users import user_of


class CodeRead(NamedTuple):
    """A code under its row lock, with its user and the state of its session at this moment.

    `session_ending` says how the session ended, None while nobody has written down that it did;
    `session_expires_at` is its absolute end.
    """

    code: Code
    user: User
    session_expires_at: int
    session_ending: Ending | None
    now: int


_ADD: Final = insert(tables.codes)
_FOR_UPDATE: Final = (
    select(
        tables.users,
        *(column for column in tables.codes.c if column.name not in ("claims", "expires_at")),
        tables.codes.c.claims.label("asked_claims"),
        tables.codes.c.expires_at.label("code_expires_at"),
        tables.sessions.c.expires_at.label("session_expires_at"),
        tables.sessions.c.ended_at,
        tables.sessions.c.ended_reason,
        database_now().label("now"),
    )
    .join(tables.sessions, tables.sessions.c.id == tables.codes.c.session_id)
    .join(tables.users, tables.users.c.id == tables.sessions.c.user_id)
    .where(tables.codes.c.digest.in_(bindparam("wanted", expanding=True)))
    # A fixed order: two processes that lock the same codes cannot wait for each other in a circle.
    .order_by(tables.codes.c.digest)
    .with_for_update(of=tables.codes)
)
_SAVE: Final = (
    update(tables.codes)
    .where(tables.codes.c.digest == bindparam("spent"))
    .values(redeemed_at=bindparam("at"), family_id=bindparam("family"))
)


class Codes:
    """The codes of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, codes: Sequence[Code]) -> None:
        """Keep new codes."""
        await self._connection.execute(_ADD, [_columns(code) for code in codes])

    async def for_update(self, digests: Collection[bytes]) -> Mapping[bytes, CodeRead]:
        """The codes of these digests, locked until the transaction ends; what is not there is left out."""
        rows = await self._connection.execute(_FOR_UPDATE, {"wanted": list(digests)})
        return {row.digest: _read(row) for row in rows}

    async def save(self, codes: Sequence[Code]) -> None:
        """Keep that codes are spent, and for what."""
        await self._connection.execute(
            _SAVE,
            [{"spent": code.digest, "at": code.redeemed_at, "family": code.family_id} for code in codes],
        )


def _columns(code: Code) -> dict[str, Any]:
    return {
        "digest": code.digest,
        "client_id": code.client_id,
        "session_id": code.session_id,
        "subject": code.subject,
        "redirect_uri": code.redirect_uri,
        "code_challenge": code.challenge.value if code.challenge else None,
        "nonce": code.nonce,
        "scope": code.scope,
        "audience": code.audience,
        "claims": to_column(code.claims),
        "auth_time": code.auth_time,
        "expires_at": code.expires_at,
    }


def _read(row: Row[Any]) -> CodeRead:
    code = Code(
        digest=row.digest,
        client_id=row.client_id,
        session_id=row.session_id,
        subject=row.subject,
        redirect_uri=row.redirect_uri,
        challenge=Challenge(row.code_challenge) if row.code_challenge else None,
        nonce=row.nonce,
        scope=row.scope,
        audience=row.audience,
        claims=from_column(row.asked_claims),
        auth_time=row.auth_time,
        expires_at=row.code_expires_at,
        redeemed_at=row.redeemed_at,
        family_id=row.family_id,
    )
    return CodeRead(
        code=code,
        user=user_of(row),
        session_expires_at=row.session_expires_at,
        session_ending=Ending(EndReason(row.ended_reason), row.ended_at) if row.ended_reason else None,
        now=row.now,
    )
