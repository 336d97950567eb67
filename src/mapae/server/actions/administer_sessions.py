"""What an operator does with sessions: see them, also those that are over and why, and end one."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.server.domain.events import SessionEnded
from mapae.server.domain.sessions import EndReason
from mapae.server.store.engine import Database
from mapae.server.store.sessions import ListedSession


class NoSuchSession(Exception):
    """There is no live session of that id."""


@dataclass(frozen=True, slots=True)
class AdministerSessions:
    """`idle_s` is how long a session lives without being used."""

    database: Database
    idle_s: int

    async def list(self, *, username_key: str | None, ended: bool, most: int) -> Sequence[ListedSession]:
        """Sessions of one user or of all, live or over."""
        async with self.database.reading() as unit:
            return await unit.sessions.listed(
                now=await unit.now(), idle_s=self.idle_s, username_key=username_key, ended=ended, most=most
            )

    async def end(self, session_id: str) -> None:
        """End a session with `revoked_by_admin`.

        Raises:
            NoSuchSession: it is not there, or over already.
        """
        async with self.database.unit() as unit:
            user_id = await unit.sessions.user_of(session_id)
            reason = EndReason.REVOKED_BY_ADMIN
            ended = user_id and await unit.sessions.end(
                session_id, user_id=user_id, reason=reason, now=await unit.now()
            )
            if not user_id or not ended:
                raise NoSuchSession
            unit.record(SessionEnded(user_id, session_id, reason))
            await unit.commit()
