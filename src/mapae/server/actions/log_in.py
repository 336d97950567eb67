"""Sign in with user name and password: a session, its refresh family, and the first pair of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.entropy import Entropy
from mapae.server.actions.guess_limits import GuessLimits
from mapae.server.actions.issue import Issue
from mapae.server.actions.session_ends import record_ends
from mapae.server.actions.tokens import Tokens
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.domain.caller import Caller
from mapae.server.domain.events import SignedIn, SignInRefused
from mapae.server.domain.families import Binder, BinderKind, Family
from mapae.server.domain.ids import new_id
from mapae.server.domain.limits import Bucket, buckets_of
from mapae.server.domain.login import NotAdmitted, judge
from mapae.server.domain.passwords import PreparedPassword, Username
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.resource_servers import ResourceServer, Target, UnknownScope, choose_target
from mapae.server.domain.sessions import EndReason, Session
from mapae.server.domain.users import User
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit

#: How often a sign-in begins again because the user was changed while the password was checked.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What the caller asked for, parsed. `scopes` is None where nothing was asked."""

    username: Username
    password: PreparedPassword
    client_id: str
    scopes: tuple[str, ...] | None
    device_name: str | None


@dataclass(frozen=True, slots=True)
class LogIn:
    """The password sign-in. No transaction is open while a password is hashed."""

    database: Database
    hasher: Argon2Hasher
    issue: Issue
    issuer: str
    session_life_s: int
    sessions_per_user: int
    limits: GuessLimits
    entropy: Entropy

    async def __call__(self, request: LoginRequest, caller: Caller) -> Tokens:
        """A session for whoever knows the password.

        Raises:
            Problem: INVALID_CREDENTIALS, USER_DISABLED, UNKNOWN_SCOPE, TOO_MANY_ATTEMPTS.
            HashingBusy: too many passwords wait to be checked.
            StoreUnavailable: the database cannot do it now.
        """
        async with self.database.reading() as unit:
            user, known = await unit.users.signing_in(request.username.key, caller.instance_digest)
            target = self._target(request.scopes, await unit.resource_servers.all())
            buckets = buckets_of(request.username.key, caller, known_device=known)
            await self.limits.check(unit, buckets)
        for _ in range(_TRIES):
            right = await self._password_is_right(user, request.password)
            match judge(user, password_right=right):
                case NotAdmitted() as refused:
                    await self._refuse(refused, buckets, caller)
                case admitted:
                    tokens = await self._begin(admitted.user, request, target, caller, buckets)
                    if tokens:
                        return tokens
            async with self.database.reading() as unit:
                user = await unit.users.named(request.username.key)
        raise Problem(ProblemCode.BUSY, detail="the user was changed during each try", retry_after_s=1)

    def _target(self, scopes: tuple[str, ...] | None, servers: Sequence[ResourceServer]) -> Target:
        try:
            return choose_target(servers, scopes, issuer=self.issuer)
        except UnknownScope:
            raise Problem(ProblemCode.UNKNOWN_SCOPE) from None

    async def _password_is_right(self, user: User | None, password: PreparedPassword) -> bool:
        if user is None or user.password_hash is None:
            # An unknown user costs what a known one does.
            await self.hasher.verify_nothing(password)
            return False
        return await self.hasher.verify(user.password_hash, password)

    async def _refuse(self, refused: NotAdmitted, buckets: Sequence[Bucket], caller: Caller) -> None:
        async with self.database.unit() as unit:
            await self.limits.count(unit, buckets)
            unit.record(SignInRefused(refused.user_id, refused.code, caller.address, caller.user_agent))
            await unit.commit()
        raise Problem(refused.code)

    async def _begin(
        self,
        user: User,
        request: LoginRequest,
        target: Target,
        caller: Caller,
        buckets: Sequence[Bucket],
    ) -> Tokens | None:
        assert user.password_hash is not None
        renewed = None
        if self.hasher.needs_rehash(user.password_hash):
            renewed = await self.hasher.hash(request.password)
        async with self.database.unit() as unit:
            confirmed = await unit.users.confirm(user, to_change=renewed is not None)
            if confirmed is None:
                return None
            await self.limits.check(unit, buckets)
            now = confirmed.now
            if renewed:
                await unit.users.renew_hash(user.id, renewed)
            session, family = self._session(user, request, target, caller, now=now)
            await self._keep(unit, session, family)
            if confirmed.live_sessions >= self.sessions_per_user:
                await self._end_oldest(unit, user.id, now=now)
            if caller.instance_digest:
                await unit.devices.remember(user.id, caller.instance_digest, now=now)
            await unit.commit()
        return await self.issue(family, user_id=user.id, roles=user.roles, now=now)

    def _session(
        self, user: User, request: LoginRequest, target: Target, caller: Caller, *, now: int
    ) -> tuple[Session, Family]:
        session = Session(
            id=new_id(self.entropy),
            user_id=user.id,
            client_id=request.client_id,
            created_at=now,
            expires_at=now + self.session_life_s,
            authenticated_at=now,
            device_name=request.device_name,
            address=caller.address,
            user_agent=caller.user_agent,
        )
        family = Family(
            id=new_id(self.entropy),
            session_id=session.id,
            client_id=request.client_id,
            first_party=True,
            binder=_binder(caller),
            audience=target.audience,
            scope=" ".join(target.scopes),
            auth_time=now,
            expires_at=session.expires_at,
            used_at=now,
            handed_out_at=now,
            address=caller.address,
            user_agent=caller.user_agent,
        )
        return session, family

    async def _keep(self, unit: Unit, session: Session, family: Family) -> None:
        await unit.sessions.add(session)
        await unit.families.add(family)
        unit.record(
            SignedIn(session.user_id, session.id, session.client_id, session.address, session.user_agent)
        )

    async def _end_oldest(self, unit: Unit, user_id: str, *, now: int) -> None:
        reason = EndReason.REVOKED_BY_ADMIN
        ended = await unit.sessions.end_oldest(user_id, keep=self.sessions_per_user, reason=reason, now=now)
        record_ends(unit, ended, user_id=user_id, reason=reason)


def _binder(caller: Caller) -> Binder:
    if caller.instance_digest is None:
        return Binder()
    return Binder(BinderKind.INSTANCE, caller.instance_digest)
