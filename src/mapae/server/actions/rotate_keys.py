"""Rotate keys: make the next one in time, or when an operator says so; revoke one; seal them anew."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mapae.server.adapters.key_holders import KeyHolder, MadeKey, SealedKeys
from mapae.server.adapters.sealing import CannotOpen
from mapae.server.domain.events import KeyResealed, KeyRevoked, KeyScheduled
from mapae.server.domain.keys import (
    DEFAULT_ALGORITHM,
    NOTHING,
    REFRESH_ALGORITHM,
    Change,
    Key,
    Lives,
    inherits_refresh_key,
    keep_up,
    let_go,
    revoke,
    rotate,
    rotate_now,
)
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit

_Decide = Callable[[Sequence[Key], int], Change]


class NoSuchKey(Exception):
    """No key has that id."""


class WrongSecretKey(Exception):
    """No secret key of the settings opens the key of this id."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database says at `now`: all keys, the algorithm of each audience, and those of ID tokens."""

    keys: tuple[Key, ...]
    algorithms: Mapping[str, str]
    now: int
    id_token_algorithms: Collection[str] = ()

    @property
    def lines(self) -> Collection[str]:
        """The algorithms that are needed."""
        return {DEFAULT_ALGORITHM, REFRESH_ALGORITHM, *self.algorithms.values(), *self.id_token_algorithms}


@dataclass(frozen=True, slots=True)
class RotateKeys:
    """Every change is one transaction, under a lock, with its audit events; keys are made before it.

    Attributes:
        sealed: who has refresh keys, and signing keys unless another holder does.
        holder: who makes new signing keys.
        lives: of signing keys.
        refresh_lives: of refresh keys.
    """

    database: Database
    sealed: SealedKeys
    holder: KeyHolder
    lives: Lives
    refresh_lives: Lives

    async def read(self) -> Seen:
        """What there is."""
        async with self.database.reading() as unit:
            servers = await unit.resource_servers.all()
            keys = await unit.keys.all()
            return Seen(
                tuple(keys),
                {server.audience: server.signing_alg for server in servers},
                await unit.now(),
                await unit.clients.id_token_algorithms(),
            )

    async def keep_up(self, seen: Seen) -> bool:
        """Do what the schedule asks for. Whether it asked for anything: another process may have done it.

        Raises:
            HolderUnavailable: a key could not be made; it is tried again the next time.
            StoreUnavailable: nothing was changed.
        """
        asked = False
        for line in sorted({*seen.lines, *(key.algorithm for key in seen.keys)}):
            due = partial(self._due if line in seen.lines else self._left_over, line)
            if due(seen.keys, seen.now) != NOTHING:
                asked = True
                await self._change(line, due)
        return asked

    async def rotate(self, lines: Collection[str], *, at_once: bool) -> Sequence[Key]:
        """Let another key of each line sign: published before it does, or `at_once`. Returns what has changed.

        Raises:
            HolderUnavailable, StoreUnavailable: the lines before were rotated, the others not.
        """
        changed: list[Key] = []
        for line in sorted(lines):
            changed += await self._change(line, partial(self._rotation, line, at_once))
        return changed

    async def revoke(self, kid: str) -> Sequence[Key]:
        """Take a key out of the key set, at once; another one signs. Returns what has changed, nothing when it is over.

        Raises:
            NoSuchKey: see there.
            HolderUnavailable, StoreUnavailable: nothing was changed; the key is believed as before.
        """
        seen = await self.read()
        key = _found(seen.keys, kid)
        return await self._change(key.algorithm, partial(self._revocation, kid))

    async def reseal(self) -> Sequence[str]:
        """Seal every private key that is of use under the secret key of now. Returns the ids of those that were not.

        Raises:
            WrongSecretKey: one is sealed under a secret key that is not in the settings; nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        async with self.database.unit() as unit:
            await unit.keys.lock()
            keys, now = await unit.keys.all(), await unit.now()
            live = [key for key in keys if key.holder == self.sealed.name and key.is_live(now)]
            resealed = [new for key in live if (new := self._resealed(key)) is not key]
            for key in resealed:
                await unit.keys.save(key)
                unit.record(KeyResealed(key.kid))
            await unit.commit()
        return [key.kid for key in resealed]

    def _resealed(self, key: Key) -> Key:
        try:
            return self.sealed.resealed(key)
        except CannotOpen as error:
            raise WrongSecretKey(key.kid) from error

    def _lives(self, line: str) -> Lives:
        return self.refresh_lives if line == REFRESH_ALGORITHM else self.lives

    def _due(self, line: str, keys: Sequence[Key], now: int) -> Change:
        return keep_up(keys, line, now=now, lives=self._lives(line))

    def _left_over(self, line: str, keys: Sequence[Key], now: int) -> Change:
        return let_go(keys, line, now=now, lives=self._lives(line))

    def _rotation(self, line: str, at_once: bool, keys: Sequence[Key], now: int) -> Change:
        decide = rotate_now if at_once else rotate
        return decide(keys, line, now=now, lives=self._lives(line))

    def _revocation(self, kid: str, keys: Sequence[Key], now: int) -> Change:
        key = _found(keys, kid)
        return revoke(keys, key, now=now, lives=self._lives(key.algorithm))

    async def _change(self, line: str, decide: _Decide) -> Sequence[Key]:
        """Decide under the lock; where a new key is needed, make it without, and decide once more."""
        made: MadeKey | None = None
        while True:
            async with self.database.unit() as unit:
                await unit.keys.lock()
                keys = await unit.keys.all()
                now = await unit.now()
                change = decide(keys, now)
                if change.new_signs_from is None or made is not None:
                    changed = self._changed(line, change, made, now)
                    await _keep(unit, keys, changed)
                    await unit.commit()
                    return changed
            inherits = line == REFRESH_ALGORITHM and inherits_refresh_key(keys, now)
            made = await asyncio.to_thread(self._make, line, inherits=inherits)

    def _make(self, line: str, *, inherits: bool) -> MadeKey:
        if inherits:
            return self.sealed.inherited_refresh_key()
        return self.sealed.make_refresh_key() if line == REFRESH_ALGORITHM else self.holder.make(line)

    def _changed(self, line: str, change: Change, made: MadeKey | None, now: int) -> Sequence[Key]:
        if change.new_signs_from is None:
            return change.saved
        assert made is not None
        holder = self.sealed if line == REFRESH_ALGORITHM else self.holder
        new = Key(made.kid, line, holder.name, made.public, made.sealed, now, change.new_signs_from)
        return (*change.saved, new)


def _found(keys: Sequence[Key], kid: str) -> Key:
    for key in keys:
        if key.kid == kid:
            return key
    raise NoSuchKey


async def _keep(unit: Unit, before: Sequence[Key], changed: Sequence[Key]) -> None:
    there = {key.kid: key for key in before}
    # First those that end: a line has one last key.
    for key in sorted(changed, key=lambda key: key.signs_until is None):
        if key.kid in there:
            await unit.keys.save(key)
        else:
            await unit.keys.add(key)
        if key.revoked_at is not None:
            unit.record(KeyRevoked(key.kid, key.algorithm))
        else:
            unit.record(KeyScheduled(key.kid, key.algorithm, key.signs_from, key.signs_until))
