"""Sign in with user name and password: a session, its refresh family, and the first pair of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.entropy import Entropy
from mapae.server.actions.begin_session import BeginSession
from mapae.server.actions.check_password import CheckPassword
from mapae.server.actions.issue import Granted, Issue
from mapae.server.actions.resource_directory import ResourceDirectory
from mapae.server.actions.tokens import Tokens
from mapae.server.domain.caller import Caller
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.ids import new_id
from mapae.server.domain.passwords import PreparedPassword, Username
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.resource_servers import ResourceServer, Target, UnknownScope, choose_target
from mapae.server.domain.sessions import Session
from mapae.server.domain.users import User
from mapae.server.store.unit import Unit
from mapae.server.store.users import Confirmed


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
    """The first-party door: tokens at once, for the user's own applications."""

    resource_servers: ResourceDirectory
    check_password: CheckPassword
    begin_session: BeginSession
    issue: Issue
    issuer: str
    entropy: Entropy

    async def __call__(self, request: LoginRequest, caller: Caller) -> Tokens:
        """A session for whoever knows the password.

        Raises:
            Problem: INVALID_CREDENTIALS, USER_DISABLED, UNKNOWN_SCOPE, TOO_MANY_ATTEMPTS, BUSY.
            HashingBusy: too many passwords wait to be checked.
            StoreUnavailable: the database cannot do it now.
        """
        target = self._target(request.scopes, await self.resource_servers.all())

        async def admit(unit: Unit, user: User, confirmed: Confirmed) -> tuple[User, Family]:
            session = await self.begin_session(
                unit,
                user,
                confirmed,
                caller,
                client_id=request.client_id,
                device_name=request.device_name,
            )
            family = self._family(session, target, caller)
            await unit.families.add(family)
            return user, family

        user, family = await self.check_password(request.username, request.password, caller, admit)
        return await self.issue(Granted(family, user.id, user.roles, family.auth_time))

    def _target(self, scopes: tuple[str, ...] | None, servers: Sequence[ResourceServer]) -> Target:
        try:
            return choose_target(servers, scopes, issuer=self.issuer)
        except UnknownScope:
            raise Problem(ProblemCode.UNKNOWN_SCOPE) from None

    def _family(self, session: Session, target: Target, caller: Caller) -> Family:
        return Family(
            id=new_id(self.entropy),
            session_id=session.id,
            client_id=session.client_id,
            first_party=True,
            binder=Binder.of(caller.instance_digest),
            audience=target.audience,
            scope=" ".join(target.scopes),
            auth_time=session.authenticated_at,
            expires_at=session.expires_at,
            used_at=session.created_at,
            handed_out_at=session.created_at,
            address=caller.address,
            user_agent=caller.user_agent,
        )
