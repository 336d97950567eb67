"""The key ring as a process sees it: what signs now, what is published, followed while the process runs."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

import structlog

from mapae.clock import Clock
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.server.actions.rotate_keys import RotateKeys, Seen, WrongSecretKey
from mapae.server.adapters.key_holders import HolderUnavailable, KeyHolder, Signer
from mapae.server.adapters.sealing import CannotOpen
from mapae.server.domain.keys import DEFAULT_ALGORITHM, REFRESH_ALGORITHM, Key, signing_key
from mapae.server.domain.refresh_token import RefreshKey
from mapae.server.store.engine import StoreUnavailable

log = structlog.get_logger()

#: Seconds between two looks at the database; with the time they take less than domain/keys SEEN_S.
LOOK_S: Final = 2


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs, with what a token's header says of it."""

    kid: str
    algorithm: str
    signer: Signer


@dataclass(frozen=True, slots=True)
class _Now:
    """What holds until the moment `until` of the monotonic clock."""

    until: float
    signing: Mapping[str, SigningKey]
    published: JwkSet
    refresh: Sequence[RefreshKey]


class KeyRing:
    """The keys of this installation. Each is opened once, when it is first seen.

    Moments are compared by the database's clock, carried on by the monotonic one: so all processes change keys at
    the same moment, whatever the clocks of their machines say. A key that cannot be opened here is published all
    the same, and others are used in its place.
    """

    def __init__(self, rotation: RotateKeys, holders: Sequence[KeyHolder], *, monotonic: Clock) -> None:
        self._rotation = rotation
        self._holders = {holder.name: holder for holder in holders}
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._failure: Exception | None = None
        self._seen = Seen((), {}, 0)
        self._ahead = 0.0
        self._public: dict[str, Jwk] = {}
        self._opened: dict[str, SigningKey | RefreshKey] = {}
        self._now = _Now(0, {}, JwkSet(()), ())

    def signing(self, audience: str) -> SigningKey:
        """The key that signs for a resource server: of its algorithm, or of the default while that has none."""
        current = self._current()
        wanted = self._seen.algorithms.get(audience, DEFAULT_ALGORITHM)
        return current.signing.get(wanted) or current.signing[DEFAULT_ALGORITHM]

    def signing_id_tokens(self, algorithm: str) -> SigningKey:
        """A key of this algorithm, also one that is only published as yet: clients look for keys they do not know.

        Raises:
            HolderUnavailable: there is none yet; the next look makes it.
        """
        if key := self._current().signing.get(algorithm):
            return key
        for kept in self._seen.keys:
            opened = self._opened.get(kept.kid)
            if kept.algorithm == algorithm and isinstance(opened, SigningKey):
                return opened
        raise HolderUnavailable(f"there is no {algorithm} key yet")

    async def prepare_id_tokens(self, algorithm: str) -> None:
        """Have a key of this algorithm, also for a client that was registered a moment ago.

        Raises:
            HolderUnavailable: it cannot be made now.
            StoreUnavailable: the database cannot do it now.
        """
        try:
            self.signing_id_tokens(algorithm)
        except HolderUnavailable:
            with suppress(WrongSecretKey):  # of another key; what is asked for here is made all the same
                await self.look()
            self.signing_id_tokens(algorithm)

    def published(self) -> JwkSet:
        """The public keys to believe; the same object as long as they are the same."""
        return self._current().published

    def refresh_keys(self) -> Sequence[RefreshKey]:
        """The key that makes refresh tokens, then the others that are believed."""
        return self._current().refresh

    async def look(self) -> None:
        """See what has changed, and make keys that are due.

        Raises:
            WrongSecretKey: there is a key it cannot open. Everything else was seen.
            HolderUnavailable: the holder of a key cannot be asked. Everything else was seen.
            StoreUnavailable: the database cannot do it now. What was seen before goes on.
        """
        async with self._looking:
            await self._look()

    async def look_again(self) -> None:
        """`look`, unless one has begun in the last second: for whoever meets a key that is not here.

        Raises:
            HolderUnavailable, StoreUnavailable: whether there is such a key cannot be said now.
        """
        async with self._looking:
            if self._monotonic() - self._looked_at >= 1:
                with suppress(WrongSecretKey, HolderUnavailable, StoreUnavailable):
                    await self._look()
            if isinstance(self._failure, StoreUnavailable):
                raise StoreUnavailable(str(self._failure))
            if self._failure is not None:
                raise HolderUnavailable(f"{type(self._failure).__name__} {self._failure}")

    async def _look(self) -> None:
        self._looked_at = self._monotonic()
        self._failure = None
        try:
            seen = await self._rotation.read()
            try:
                if await self._rotation.keep_up(seen):
                    seen = await self._rotation.read()
            finally:
                await self._take(seen)
        except (WrongSecretKey, HolderUnavailable, StoreUnavailable) as error:
            self._failure = error
            raise

    async def _take(self, seen: Seen) -> None:
        monotonic = self._monotonic()
        live = {key.kid: key for key in seen.keys if key.is_live(seen.now)}
        opened, failure = dict(self._opened), None
        if new := [key for kid, key in live.items() if kid not in opened]:
            just_opened, failure = await asyncio.to_thread(self._open, new)
            opened |= just_opened
        self._opened = {kid: key for kid, key in opened.items() if kid in live}
        self._public = {
            kid: self._public.get(kid) or Jwk.parse(key.public) for kid, key in live.items() if key.public
        }
        self._seen = replace(seen, keys=tuple(live.values()))
        self._ahead = seen.now - monotonic
        self._now = self._chosen()
        if failure is not None:
            raise failure

    def _open(self, keys: Sequence[Key]) -> tuple[Mapping[str, SigningKey | RefreshKey], Exception | None]:
        """Those of the keys that can be opened, and why another one cannot."""
        opened: dict[str, SigningKey | RefreshKey] = {}
        failure: Exception | None = None
        for key in keys:
            try:
                opened[key.kid] = self._opened_by_its_holder(key)
            except CannotOpen:
                failure = WrongSecretKey(key.kid)
            except HolderUnavailable as error:
                failure = error
        return opened, failure

    def _opened_by_its_holder(self, key: Key) -> SigningKey | RefreshKey:
        if key.algorithm == REFRESH_ALGORITHM:
            return self._rotation.sealed.refresh_key(key)
        holder = self._holders.get(key.holder)
        if holder is None:
            raise HolderUnavailable(f"key {key.kid} is held by {key.holder}, which the settings do not name")
        return SigningKey(key.kid, key.algorithm, holder.signer(key))

    def _current(self) -> _Now:
        if self._monotonic() >= self._now.until:
            self._now = self._chosen()
        return self._now

    def _chosen(self) -> _Now:
        """What the moments say now, and until when they say so."""
        now = self._monotonic() + self._ahead
        live = [key for key in self._seen.keys if key.is_live(now)]
        usable = [key for key in live if key.kid in self._opened]
        moments = {
            moment for key in live for moment in (key.signs_from, key.signs_until, key.gone_at) if moment
        }
        signing = {key.algorithm: self._opened[key.kid] for key in _signing(usable, now)}
        writes = signing.get(REFRESH_ALGORITHM)
        refresh = [key for key in self._opened.values() if isinstance(key, RefreshKey)]
        published = tuple(self._public[key.kid] for key in live if key.kid in self._public)
        return _Now(
            until=min((moment for moment in moments if moment > now), default=float("inf")) - self._ahead,
            signing={name: key for name, key in signing.items() if isinstance(key, SigningKey)},
            published=self._now.published if tuple(self._now.published) == published else JwkSet(published),
            refresh=sorted(refresh, key=lambda key: key is not writes),
        )


def _signing(keys: Sequence[Key], now: float) -> Iterator[Key]:
    """The key of each line that signs."""
    for algorithm in {key.algorithm for key in keys}:
        line = [key for key in keys if key.algorithm == algorithm]
        key = signing_key(line, algorithm, now)
        if key is None and algorithm in (DEFAULT_ALGORITHM, REFRESH_ALGORITHM):
            # None is active that can be used: it cannot be opened, or a clock was set back. Sign with another.
            key = ([key for key in line if key.signs_from <= now] or line[:1])[-1]
        if key is not None:
            yield key


@asynccontextmanager
async def following(ring: KeyRing) -> AsyncIterator[None]:
    """While inside, the ring looks at the database every `LOOK_S` seconds."""
    leaving = asyncio.Event()
    task = asyncio.create_task(_look_until(leaving, ring))
    try:
        yield
    finally:
        leaving.set()
        await task


async def _look_until(leaving: asyncio.Event, ring: KeyRing) -> None:
    failed = False
    while not leaving.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), LOOK_S)
            return
        try:
            await ring.look()
            failed = False
        except (StoreUnavailable, HolderUnavailable, WrongSecretKey) as error:
            # Said once: the keys seen last go on, and by their moments follow one another as before.
            if not failed:
                log.warning("keys_not_followed", problem=type(error).__name__, detail=str(error))
            failed = True
        except Exception:
            log.exception("keys_not_followed")
