"""Check a user name and a password, and let whoever knows both in: the same at every door."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from mapae.server.actions.guess_limits import GuessLimits
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.domain.caller import Caller
from mapae.server.domain.events import SignInRefused
from mapae.server.domain.limits import Bucket, buckets_of
from mapae.server.domain.login import Admitted, NotAdmitted, judge
from mapae.server.domain.passwords import PreparedPassword, Username
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.users import User
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit
from mapae.server.store.users import Confirmed

#: How often a sign-in begins again because the user was changed while the password was checked.
_TRIES: Final = 3

T = TypeVar("T")
#: What is done for a user who is admitted, in the transaction that has confirmed them.
Admit = Callable[[Unit, User, Confirmed], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """The password sign-in. No transaction is open while a password is hashed."""

    database: Database
    hasher: Argon2Hasher
    limits: GuessLimits

    async def __call__(
        self, username: Username, password: PreparedPassword, caller: Caller, admit: Admit[T]
    ) -> T:
        """What `admit` returns, committed; it is called for whoever knows the password.

        Raises:
            Problem: INVALID_CREDENTIALS, USER_DISABLED, TOO_MANY_ATTEMPTS, BUSY. And whatever `admit` raises.
            HashingBusy: too many passwords wait to be checked.
            StoreUnavailable: the database cannot do it now.
        """
        async with self.database.reading() as unit:
            user, known = await unit.users.signing_in(username.key, caller.instance_digest)
            buckets = buckets_of(username.key, caller, known_device=known)
            await self.limits.check(unit, buckets)
        for _ in range(_TRIES):
            right = await self._password_is_right(user, password)
            match judge(user, password_right=right):
                case NotAdmitted() as refused:
                    await self._refuse(refused, buckets, caller)
                case Admitted(admitted):
                    renewed = await self._renewed_hash(admitted, password)
                    async with self.database.unit() as unit:
                        confirmed = await self._confirm(unit, admitted, renewed, buckets)
                        if confirmed is not None:
                            done = await admit(unit, admitted, confirmed)
                            if caller.instance_digest:
                                await unit.devices.remember(
                                    admitted.id, caller.instance_digest, now=confirmed.now
                                )
                            await unit.commit()
                            return done
            async with self.database.reading() as unit:
                user = await unit.users.named(username.key)
        raise Problem(ProblemCode.BUSY, detail="the user was changed during each try", retry_after_s=1)

    async def _password_is_right(self, user: User | None, password: PreparedPassword) -> bool:
        if user is None or user.password_hash is None:
            # An unknown user costs what a known one does.
            await self.hasher.verify_nothing(password)
            return False
        return await self.hasher.verify(user.password_hash, password)

    async def _renewed_hash(self, user: User, password: PreparedPassword) -> str | None:
        """A hash with today's parameters, where the user's has others."""
        assert user.password_hash is not None
        return await self.hasher.hash(password) if self.hasher.needs_rehash(user.password_hash) else None

    async def _confirm(
        self, unit: Unit, user: User, renewed: str | None, buckets: Sequence[Bucket]
    ) -> Confirmed | None:
        """What is so now, in this transaction; None when the user was changed while the password was checked."""
        confirmed = await unit.users.confirm(user, to_change=renewed is not None)
        if confirmed is not None:
            await self.limits.check(unit, buckets)
            if renewed is not None:
                await unit.users.renew_hash(user.id, renewed)
        return confirmed

    async def _refuse(self, refused: NotAdmitted, buckets: Sequence[Bucket], caller: Caller) -> None:
        async with self.database.unit() as unit:
            await self.limits.count(unit, buckets)
            unit.record(SignInRefused(refused.user_id, refused.code, caller.address, caller.user_agent))
            await unit.commit()
        raise Problem(refused.code)
