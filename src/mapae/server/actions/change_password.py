"""A user changes their own password: the others of their sessions end, the one that changed it stays."""

from dataclasses import dataclass, replace

from mapae.server.actions.guess_limits import GuessLimits
from mapae.server.actions.session_ends import record_ends
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.domain.caller import Caller
from mapae.server.domain.events import UserChanged
from mapae.server.domain.limits import device_bucket
from mapae.server.domain.login import NotAdmitted, judge
from mapae.server.domain.passwords import PreparedPassword
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.sessions import EndReason
from mapae.server.store.engine import Database


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Needs the old password beside the access token: a token that was stolen is not enough."""

    database: Database
    hasher: Argon2Hasher
    limits: GuessLimits

    async def __call__(
        self,
        *,
        user_id: str,
        session_id: str,
        current: PreparedPassword,
        new: PreparedPassword,
        caller: Caller,
    ) -> None:
        """Change the password.

        Raises:
            Problem: INVALID_CREDENTIALS, USER_DISABLED, TOO_MANY_ATTEMPTS; INVALID_TOKEN when the session is over;
                BUSY when the user was changed at the same time.
            HashingBusy: too many passwords wait to be checked.
            StoreUnavailable: nothing was changed.
        """
        async with self.database.reading() as unit:
            user = await unit.users.of_live_session(session_id, now=await unit.now())
            if user is None or user.id != user_id:
                raise Problem(ProblemCode.INVALID_TOKEN, detail=f"session {session_id} is over")
            # A session is as good as a device: strangers do not keep it out, and it has no more guesses than they.
            buckets = [device_bucket(user.username_key, session_id.encode())]
            await self.limits.check(unit, buckets)
        right = user.password_hash is not None and await self.hasher.verify(user.password_hash, current)
        outcome = judge(user, password_right=right)
        if isinstance(outcome, NotAdmitted):
            async with self.database.unit() as unit:
                await self.limits.count(unit, buckets)
                await unit.commit()
            raise Problem(outcome.code)
        password_hash = await self.hasher.hash(new)
        async with self.database.unit() as unit:
            confirmed = await unit.users.confirm(user, to_change=True)
            if confirmed is None:
                raise Problem(ProblemCode.BUSY, detail="the user was changed meanwhile", retry_after_s=1)
            await self.limits.check(unit, buckets)
            await unit.users.save(replace(user, password_hash=password_hash))
            reason = EndReason.PASSWORD_CHANGED
            ended = await unit.sessions.end_all(
                user.id, reason=reason, now=confirmed.now, except_id=session_id
            )
            unit.record(UserChanged(user.id, ("password",)))
            record_ends(unit, ended, user_id=user.id, reason=reason, caller=caller)
            await unit.commit()
