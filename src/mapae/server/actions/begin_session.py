"""Begin a session, within the transaction of a sign-in, and keep the number of a user's sessions bounded."""

from dataclasses import dataclass

from mapae.entropy import Entropy
from mapae.server.actions.session_ends import record_ends
from mapae.server.domain.caller import Caller
from mapae.server.domain.events import SignedIn
from mapae.server.domain.ids import new_id
from mapae.server.domain.sessions import EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store.unit import Unit
from mapae.server.store.users import Confirmed


@dataclass(frozen=True, slots=True)
class BeginSession:
    """`life_s` is the absolute end of a session in seconds, `per_user` how many live ones a user may have."""

    life_s: int
    per_user: int
    entropy: Entropy

    async def __call__(  # noqa: PLR0913  # what a session is made of
        self,
        unit: Unit,
        user: User,
        confirmed: Confirmed,
        caller: Caller,
        *,
        client_id: str,
        device_name: str | None = None,
        cookie_digest: bytes | None = None,
    ) -> Session:
        """A new session of this user, kept and told; the oldest beyond the limit end."""
        now = confirmed.now
        session = Session(
            id=new_id(self.entropy),
            user_id=user.id,
            client_id=client_id,
            created_at=now,
            expires_at=now + self.life_s,
            authenticated_at=now,
            device_name=device_name,
            address=caller.address,
            user_agent=caller.user_agent,
            cookie_digest=cookie_digest,
        )
        await unit.sessions.add(session)
        unit.record(SignedIn(user.id, session.id, client_id, session.address, session.user_agent))
        if confirmed.live_sessions >= self.per_user:
            reason = EndReason.REVOKED_BY_ADMIN
            ended = await unit.sessions.end_oldest(user.id, keep=self.per_user, reason=reason, now=now)
            record_ends(unit, ended, user_id=user.id, reason=reason)
        return session
