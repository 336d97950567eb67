"""A user's sessions: list them, end one, end the others, end all."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from mapae.secret import Secret
from mapae.server.actions.family_batches import FamilyBatches, Presentation
from mapae.server.actions.grants.refresh_token import presentation_of
from mapae.server.actions.read_refresh_token import ReadRefreshToken
from mapae.server.actions.session_ends import record_ends
from mapae.server.domain.caller import Caller
from mapae.server.domain.families import Replayed, log_out, vouch
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.refresh_token import NotARefreshToken, RefreshKeyLost
from mapae.server.domain.sessions import EndReason
from mapae.server.store.engine import Database
from mapae.server.store.sessions import ListedSession
from mapae.server.store.unit import Unit


class LogOutScope(StrEnum):
    """Which sessions of the user a log-out ends."""

    THIS = "this"
    OTHERS = "others"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class UserSessions:
    """What a user may do with their own sessions, proved by an access token."""

    database: Database
    idle_s: int

    async def list(self, user_id: str, *, current_id: str) -> Sequence[ListedSession]:
        """The live sessions, newest first.

        Raises:
            Problem: INVALID_TOKEN when the session of the token is over.
        """
        async with self.database.reading() as unit:
            live = await unit.sessions.live_of(user_id, now=await unit.now(), idle_s=self.idle_s)
        if all(one.session.id != current_id for one in live):
            raise Problem(ProblemCode.INVALID_TOKEN, detail=f"session {current_id} is over")
        return live

    async def revoke(self, session_id: str, *, user_id: str, current_id: str, caller: Caller) -> None:
        """End one of the user's sessions, with `revoked_by_user`.

        Raises:
            Problem: SESSION_NOT_FOUND; INVALID_TOKEN when the session of the token is over.
        """
        if all(one.session.id != session_id for one in await self.list(user_id, current_id=current_id)):
            raise Problem(ProblemCode.SESSION_NOT_FOUND)
        async with self.database.unit() as unit:
            ended = await unit.sessions.end(
                session_id, user_id=user_id, reason=EndReason.REVOKED_BY_USER, now=await unit.now()
            )
            record_ends(unit, ended, user_id=user_id, reason=EndReason.REVOKED_BY_USER, caller=caller)
            await unit.commit()

    async def log_out(self, scope: LogOutScope, *, user_id: str, current_id: str, caller: Caller) -> None:
        """End this session, the others, or all, with `logged_out`. What is over stays as it ended."""
        async with self.database.unit() as unit:
            await _end(unit, scope, user_id=user_id, current_id=current_id, caller=caller)
            await unit.commit()


@dataclass(frozen=True, slots=True)
class RefreshTokenLogOut:
    """Log-out proved by a refresh token. A dead, old or foreign token ends nothing, and is no error."""

    read: ReadRefreshToken
    batches: FamilyBatches
    database: Database

    async def __call__(self, token: Secret, scope: LogOutScope, caller: Caller, *, client_id: str) -> None:
        """End what the scope says, if the token may speak for its session (domain/families)."""
        try:
            read = await self.read(token)
        except (NotARefreshToken, RefreshKeyLost):
            return
        presented = presentation_of(read, caller, client_id=client_id)
        rule = log_out if scope is LogOutScope.THIS else vouch
        decided = await self.batches.decide(Presentation(read.family_id, presented, rule))
        if decided and isinstance(decided.decision, Replayed):
            async with self.database.unit() as unit:
                await _end(
                    unit,
                    scope,
                    user_id=decided.read.user_id,
                    current_id=decided.read.family.session_id,
                    caller=caller,
                )
                await unit.commit()


async def _end(unit: Unit, scope: LogOutScope, *, user_id: str, current_id: str, caller: Caller) -> None:
    now, reason = await unit.now(), EndReason.LOGGED_OUT
    match scope:
        case LogOutScope.THIS:
            ended = await unit.sessions.end(current_id, user_id=user_id, reason=reason, now=now)
        case LogOutScope.OTHERS:
            ended = await unit.sessions.end_all(user_id, reason=reason, now=now, except_id=current_id)
        case LogOutScope.ALL:
            ended = await unit.sessions.end_all(user_id, reason=reason, now=now)
        case _:
            assert_never(scope)
    record_ends(unit, ended, user_id=user_id, reason=reason, caller=caller)
