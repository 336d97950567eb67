"""What an operator does with users: make, disable, enable, give another password, see their sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mapae.entropy import Entropy
from mapae.server.actions.apply_setup import end_sessions_of
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.domain.events import UserChanged
from mapae.server.domain.ids import new_id
from mapae.server.domain.passwords import PreparedPassword, Username
from mapae.server.domain.sessions import EndReason
from mapae.server.domain.users import User
from mapae.server.store.engine import Database
from mapae.server.store.sessions import ListedSession


class NoSuchUser(Exception):
    """Nobody has that user name."""


@dataclass(frozen=True, slots=True)
class AdministerUsers:
    """Each of these is one transaction, with its audit event."""

    database: Database
    hasher: Argon2Hasher
    entropy: Entropy

    async def create(
        self, username: Username, password: PreparedPassword, *, roles: Sequence[str], email: str | None
    ) -> User:
        """A new user.

        Raises:
            UsernameTaken: somebody has the name, or one that looks the same.
        """
        password_hash = await self.hasher.hash(password)
        async with self.database.unit() as unit:
            user = User(
                id=new_id(self.entropy),
                username=username.display,
                username_key=username.key,
                password_hash=password_hash,
                roles=tuple(roles),
                created_at=await unit.now(),
                email=email,
            )
            await unit.users.add(user)
            unit.record(UserChanged(user.id, ("created",)))
            await unit.commit()
        return user

    async def all(self) -> Sequence[User]:
        """Every user, by name."""
        async with self.database.reading() as unit:
            return await unit.users.all()

    async def disable(self, username: Username) -> int:
        """Keep a user from signing in, and end their sessions. Returns how many ended.

        Raises:
            NoSuchUser: see there.
        """
        async with self.database.unit() as unit:
            user = _found(await unit.users.named(username.key))
            if user.disabled_at is None:
                await unit.users.save(replace(user, disabled_at=await unit.now()))
                unit.record(UserChanged(user.id, ("disabled",)))
            ended = await end_sessions_of(unit, user.id, EndReason.USER_DISABLED)
            await unit.commit()
        return ended

    async def enable(self, username: Username) -> None:
        """Let a user sign in again.

        Raises:
            NoSuchUser: see there.
        """
        async with self.database.unit() as unit:
            user = _found(await unit.users.named(username.key))
            await unit.users.save(replace(user, disabled_at=None))
            unit.record(UserChanged(user.id, ("enabled",)))
            await unit.commit()

    async def set_password(self, username: Username, password: PreparedPassword) -> int:
        """Give a user another password, and end their sessions. Returns how many ended.

        Raises:
            NoSuchUser: see there.
        """
        password_hash = await self.hasher.hash(password)
        async with self.database.unit() as unit:
            user = _found(await unit.users.named(username.key))
            await unit.users.save(replace(user, password_hash=password_hash))
            unit.record(UserChanged(user.id, ("password",)))
            ended = await end_sessions_of(unit, user.id, EndReason.PASSWORD_CHANGED)
            await unit.commit()
        return ended

    async def sessions(self, username: Username, *, idle_s: int) -> Sequence[ListedSession]:
        """The live sessions of a user, newest first.

        Raises:
            NoSuchUser: see there.
        """
        async with self.database.reading() as unit:
            user = _found(await unit.users.named(username.key))
            return await unit.sessions.live_of(user.id, now=await unit.now(), idle_s=idle_s)


def _found(user: User | None) -> User:
    if user is None:
        raise NoSuchUser
    return user
