"""The key ring as a process sees it: what signs now, what is published, followed while the process runs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
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
    the same moment, whatever the clocks of their machines say.
    """

    def __init__(self, rotation: RotateKeys, holders: Sequence[KeyHolder], *, monotonic: Clock) -> None:
        self._rotation = rotation
        self._holders = {holder.name: holder for holder in holders}
        self._monotonic = monotonic
        self._seen = Seen((), {}, 0)
        self._ahead = 0.0
        self._looked_at = float("-inf")
        self._signing: dict[str, SigningKey] = {}
        self._public: dict[str, Jwk] = {}
        self._refresh: dict[str, RefreshKey] = {}
        self._now = _Now(0, {}, JwkSet(()), ())

    def signing(self, audience: str) -> SigningKey:
        """The key that signs for a resource server: of its algorithm, or of the default while that has none."""
        current = self._current()
        wanted = self._seen.algorithms.get(audience, DEFAULT_ALGORITHM)
        return current.signing.get(wanted) or current.signing[DEFAULT_ALGORITHM]

    def published(self) -> JwkSet:
        """The public keys to believe; the same object as long as they are the same."""
        return self._current().published

    def refresh_keys(self) -> Sequence[RefreshKey]:
        """The key that makes refresh tokens, then the others that are believed."""
        return self._current().refresh

    async def look_again(self) -> None:
        """`look`, unless that was done in the last second: for whoever meets a key that is not here.

        Raises:
            StoreUnavailable: whether there is such a key cannot be said now.
        """
        if self._monotonic() - self._looked_at >= 1:
            with suppress(WrongSecretKey, HolderUnavailable):
                await self.look()

    async def look(self) -> None:
        """See what has changed, and make keys that are due.

        Raises:
            WrongSecretKey: there is a key it cannot open. What was seen before goes on to be used.
            HolderUnavailable: the holder of a key cannot be asked. As before.
            StoreUnavailable: the database cannot do it now. As before.
        """
        self._looked_at = self._monotonic()
        seen = await self._rotation.read()
        try:
            if await self._rotation.keep_up(seen):
                seen = await self._rotation.read()
        finally:
            await self._take(seen)

    async def _take(self, seen: Seen) -> None:
        monotonic = self._monotonic()
        live = tuple(key for key in seen.keys if key.is_live(seen.now))
        new = [key for key in live if key.kid not in self._signing and key.kid not in self._refresh]
        if new:
            await asyncio.to_thread(self._open, new)
        self._seen = Seen(live, seen.algorithms, seen.now)
        self._ahead = seen.now - monotonic
        self._now = self._chosen()

    def _open(self, keys: Sequence[Key]) -> None:
        for key in keys:
            holder = self._holders.get(key.holder)
            if holder is None:
                raise HolderUnavailable(
                    f"key {key.kid} is held by {key.holder}, which the settings do not name"
                )
            try:
                if key.algorithm == REFRESH_ALGORITHM:
                    self._refresh[key.kid] = self._rotation.sealed.refresh_key(key)
                else:
                    self._public[key.kid] = Jwk.parse(key.public)
                    self._signing[key.kid] = SigningKey(key.kid, key.algorithm, holder.signer(key))
            except CannotOpen as error:
                raise WrongSecretKey(key.kid) from error

    def _current(self) -> _Now:
        if self._monotonic() >= self._now.until:
            self._now = self._chosen()
        return self._now

    def _chosen(self) -> _Now:
        """What the moments say now, and until when they say so."""
        now = self._monotonic() + self._ahead
        live = [key for key in self._seen.keys if key.is_live(now)]
        moments = {
            moment for key in live for moment in (key.signs_from, key.signs_until, key.gone_at) if moment
        }
        signing = {}
        for algorithm in {key.algorithm for key in live}:
            if key := signing_key(live, algorithm, now):
                signing[algorithm] = key.kid
        # A clock that was set back may have left no key active.
        first = next((key.kid for key in live if key.algorithm == DEFAULT_ALGORITHM), None)
        if first:
            signing.setdefault(DEFAULT_ALGORITHM, first)
        writing = signing.pop(REFRESH_ALGORITHM, None)
        refresh = sorted(
            (key.kid for key in live if key.kid in self._refresh), key=lambda kid: kid != writing
        )
        published = tuple(self._public[key.kid] for key in live if key.kid in self._public)
        return _Now(
            until=min((moment for moment in moments if moment > now), default=float("inf")) - self._ahead,
            signing={algorithm: self._signing[kid] for algorithm, kid in signing.items()},
            published=self._now.published if tuple(self._now.published) == published else JwkSet(published),
            refresh=[self._refresh[kid] for kid in refresh],
        )


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
