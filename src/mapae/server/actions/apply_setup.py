"""Apply a set-up: compare what there is with what there shall be, then bring the one to the other at once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, assert_never

from mapae.entropy import Entropy
from mapae.server.actions.session_ends import record_ends
from mapae.server.adapters.argon2_hasher import Argon2Hasher, UnusableHash, check_encoded_hash
from mapae.server.domain.clients import Client
from mapae.server.domain.events import ClientChanged, ResourceServerChanged, UserChanged
from mapae.server.domain.ids import new_id
from mapae.server.domain.passwords import PreparedPassword
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.sessions import EndReason
from mapae.server.domain.setup import Setup, SetupMistake
from mapae.server.domain.setup_tables import ClientSetup, ResourceServerSetup, UserSetup
from mapae.server.domain.users import User
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit

Target = User | ResourceServer | Client


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
    target: Target


@dataclass(frozen=True, slots=True)
class ApplySetup:
    """Plans and applies. Passwords are compared and hashed while planning, before the transaction begins."""

    database: Database
    hasher: Argon2Hasher
    entropy: Entropy

    async def plan(self, setup: Setup) -> Sequence[Step]:
        """What `apply` will do, in the order of the file.

        Raises:
            SetupMistake: a hash that cannot be used, or a client without the secret it needs.
            StoreUnavailable: the database cannot be read now.
        """
        _check_hashes(setup)
        async with self.database.reading() as unit:
            now = await unit.now()
            servers = {server.audience: server for server in await unit.resource_servers.all()}
            users = {user.username_key: user for user in await unit.users.all()}
            clients = {client.client_id: client for client in await unit.clients.all()}
        _check_secrets(setup, clients)
        return [
            *(_server_step(wanted, servers.get(wanted.audience)) for wanted in setup.resource_servers),
            *[await self._user_step(wanted, users.get(wanted.username.key), now) for wanted in setup.users],
            *[
                await self._client_step(wanted, clients.get(wanted.client_id), now)
                for wanted in setup.clients
            ],
        ]

    async def apply(self, plan: Sequence[Step]) -> None:
        """Do what the plan says: all of it, or nothing.

        Raises:
            UsernameTaken, ClientIdTaken: somebody made one of that name since the plan was made.
            StoreUnavailable: nothing was changed.
        """
        async with self.database.unit() as unit:
            for step in plan:
                if step.sign is not Sign.KEEP:
                    await _carry_out(unit, step)
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
            password_hash=await self._hash(wanted.password_hash, wanted.password, base.password_hash),
            roles=wanted.roles,
            email=wanted.email,
            email_verified=wanted.email_verified,
            claims=wanted.claims,
        )
        step = _step("user", wanted.username.display, user, target)
        return step if step.sign is Sign.KEEP else replace(step, target=replace(target, updated_at=now))

    async def _client_step(self, wanted: ClientSetup, client: Client | None, now: int) -> Step:
        kept = client.secret_hash if client else None
        secret_hash = await self._hash(wanted.client_secret_hash, wanted.client_secret, kept)
        target = Client(
            wanted.client_id,
            wanted.metadata,
            secret_hash if wanted.metadata.has_secret else None,
            client.created_at if client else now,
        )
        return _step("client", wanted.client_id, client, target)

    async def _hash(self, given: str | None, plain: PreparedPassword | None, kept: str | None) -> str | None:
        """The hash that is given, or one of what is given in plain text: the one that is kept, if it is of that."""
        if given is not None:
            return given
        if plain is None:
            return kept
        if kept is not None and await self.hasher.verify(kept, plain):
            return kept
        return await self.hasher.hash(plain)


def _check_hashes(setup: Setup) -> None:
    hashes = [
        *(("users", n, "password_hash", user.password_hash) for n, user in enumerate(setup.users, 1)),
        *(
            ("clients", n, "client_secret_hash", client.client_secret_hash)
            for n, client in enumerate(setup.clients, 1)
        ),
    ]
    mistakes = []
    for table, number, key, encoded in hashes:
        try:
            if encoded is not None:
                check_encoded_hash(encoded)
        except UnusableHash as error:
            mistakes.append(f"[[{table}]] number {number}, {key} {error}")
    if mistakes:
        raise SetupMistake(mistakes)


def _check_secrets(setup: Setup, clients: Mapping[str, Client]) -> None:
    mistakes = [
        f"[[clients]] number {number}, client_secret is missing"
        for number, wanted in enumerate(setup.clients, 1)
        if wanted.metadata.has_secret
        and wanted.client_secret is None
        and wanted.client_secret_hash is None
        and not (wanted.client_id in clients and clients[wanted.client_id].secret_hash)
    ]
    if mistakes:
        raise SetupMistake(mistakes)


def _server_step(wanted: ResourceServerSetup, server: ResourceServer | None) -> Step:
    target = ResourceServer(wanted.audience, wanted.scopes, wanted.signing_alg)
    return _step("resource server", wanted.audience, server, target)


def _step(kind: str, name: str, there: Target | None, target: Target) -> Step:
    if there is None:
        return Step(Sign.ADD, kind, name, (), target)
    old, new = _members(there), _members(target)
    what = tuple(member for member in {**new, **old} if old.get(member) != new.get(member))
    return Step(Sign.CHANGE if what else Sign.KEEP, kind, name, what, target)


def _members(target: Target) -> Mapping[str, Any]:
    """What there is to say of something, by the names that the file has for it."""
    match target:
        case User():
            members = {**asdict(target), **target.claims, "password": target.password_hash}
            return {name: members[name] for name in members if name not in _NOT_IN_THE_FILE}
        case ResourceServer():
            return asdict(target)
        case Client():
            return {"client_secret": target.secret_hash, **target.metadata.to_dict()}
        case other:
            assert_never(other)


#: Members of a user that follow from others.
_NOT_IN_THE_FILE = {"password_hash", "claims", "updated_at"}


async def _carry_out(unit: Unit, step: Step) -> None:
    new = step.sign is Sign.ADD
    match step.target:
        case User() as user:
            await (unit.users.add if new else unit.users.save)(user)
            if "password" in step.what:
                await end_sessions_of(unit, user.id, EndReason.PASSWORD_CHANGED)
            unit.record(UserChanged(user.id, step.what))
        case ResourceServer() as server:
            await (unit.resource_servers.add if new else unit.resource_servers.save)(server)
            unit.record(ResourceServerChanged(server.audience))
        case Client() as client:
            await (unit.clients.add if new else unit.clients.save)(client)
            unit.record(ClientChanged(client.client_id, step.what))
        case other:
            assert_never(other)


async def end_sessions_of(unit: Unit, user_id: str, reason: EndReason) -> int:
    """End every session of a user, for a reason that is not the user's. Returns how many ended."""
    ended = await unit.sessions.end_all(user_id, reason=reason, now=await unit.now())
    record_ends(unit, ended, user_id=user_id, reason=reason)
    return len(ended)
