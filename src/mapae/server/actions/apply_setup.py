"""Apply a set-up: compare what there is with what there shall be, then bring the one to the other at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mapae.entropy import Entropy
from mapae.server.actions.session_ends import record_ends
from mapae.server.adapters.argon2_hasher import Argon2Hasher, UnusableHash, check_encoded_hash
from mapae.server.domain.events import ResourceServerChanged, UserChanged
from mapae.server.domain.ids import new_id
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.sessions import EndReason
from mapae.server.domain.setup import ResourceServerSetup, Setup, SetupMistake, UserSetup
from mapae.server.domain.users import User
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit


class Sign(StrEnum):
    """What happens to one table of the file."""

    ADD = "+"
    CHANGE = "~"
    KEEP = "="


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the plan: `what` names the members that change."""

    sign: Sign
    kind: str
    name: str
    what: tuple[str, ...]
    target: User | ResourceServer


@dataclass(frozen=True, slots=True)
class ApplySetup:
    """Plans and applies. Passwords are compared and hashed while planning, before the transaction begins."""

    database: Database
    hasher: Argon2Hasher
    entropy: Entropy

    async def plan(self, setup: Setup) -> Sequence[Step]:
        """What `apply` will do, in the order of the file.

        Raises:
            SetupMistake: a password hash that cannot be used.
            StoreUnavailable: the database cannot be read now.
        """
        _check_hashes(setup)
        async with self.database.reading() as unit:
            now = await unit.now()
            servers = {server.audience: server for server in await unit.resource_servers.all()}
            users = {user.username_key: user for user in await unit.users.all()}
        return [
            *(_server_step(wanted, servers.get(wanted.audience)) for wanted in setup.resource_servers),
            *[await self._user_step(wanted, users.get(wanted.username.key), now) for wanted in setup.users],
        ]

    async def apply(self, plan: Sequence[Step]) -> None:
        """Do what the plan says: all of it, or nothing.

        Raises:
            UsernameTaken: somebody made a user of that name since the plan was made.
            StoreUnavailable: nothing was changed.
        """
        async with self.database.unit() as unit:
            for step in plan:
                match step.target:
                    case User():
                        await _apply_user(unit, step, step.target)
                    case ResourceServer():
                        await _apply_server(unit, step, step.target)
            await unit.commit()

    async def _user_step(self, wanted: UserSetup, user: User | None, now: int) -> Step:
        base = user or User(
            id=new_id(self.entropy),
            username=wanted.username.display,
            username_key=wanted.username.key,
            password_hash=None,
            roles=(),
            created_at=now,
        )
        target = replace(
            base,
            username=wanted.username.display,
            password_hash=await self._hash(wanted, base.password_hash),
            roles=wanted.roles,
            email=wanted.email,
            email_verified=wanted.email_verified,
        )
        return _step("user", wanted.username.display, user, target)

    async def _hash(self, wanted: UserSetup, kept: str | None) -> str | None:
        if wanted.password_hash is not None:
            return wanted.password_hash
        if wanted.password is None:
            return kept
        if kept is not None and await self.hasher.verify(kept, wanted.password):
            return kept
        return await self.hasher.hash(wanted.password)


def _check_hashes(setup: Setup) -> None:
    mistakes = []
    for number, user in enumerate(setup.users, start=1):
        if user.password_hash is not None:
            try:
                check_encoded_hash(user.password_hash)
            except UnusableHash as error:
                mistakes.append(f"[[users]] number {number}, password_hash {error}")
    if mistakes:
        raise SetupMistake(mistakes)


def _server_step(wanted: ResourceServerSetup, server: ResourceServer | None) -> Step:
    target = ResourceServer(wanted.audience, wanted.scopes, wanted.signing_alg)
    return _step("resource server", wanted.audience, server, target)


def _step(kind: str, name: str, there: User | ResourceServer | None, target: User | ResourceServer) -> Step:
    if there is None:
        return Step(Sign.ADD, kind, name, (), target)
    members = (field for field in type(target).__dataclass_fields__)
    what = tuple(
        field.removesuffix("_hash") for field in members if getattr(there, field) != getattr(target, field)
    )
    return Step(Sign.CHANGE if what else Sign.KEEP, kind, name, what, target)


async def _apply_user(unit: Unit, step: Step, user: User) -> None:
    match step.sign:
        case Sign.ADD:
            await unit.users.add(user)
        case Sign.CHANGE:
            await unit.users.save(user)
            if "password" in step.what:
                await end_sessions_of(unit, user.id, EndReason.PASSWORD_CHANGED)
        case Sign.KEEP:
            return
    unit.record(UserChanged(user.id, step.what))


async def _apply_server(unit: Unit, step: Step, server: ResourceServer) -> None:
    match step.sign:
        case Sign.ADD:
            await unit.resource_servers.add(server)
        case Sign.CHANGE:
            await unit.resource_servers.save(server)
        case Sign.KEEP:
            return
    unit.record(ResourceServerChanged(server.audience))


async def end_sessions_of(unit: Unit, user_id: str, reason: EndReason) -> int:
    """End every session of a user, for a reason that is not the user's. Returns how many ended."""
    ended = await unit.sessions.end_all(user_id, reason=reason, now=await unit.now())
    record_ends(unit, ended, user_id=user_id, reason=reason)
    return len(ended)
