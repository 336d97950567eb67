"""The public keys of clients: those they registered, and those they publish at their `jwks_uri`."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from mapae.clock import Clock
from mapae.jose.errors import JoseError, JoseErrorCode
from mapae.jose.jwks import JwkSet
from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.server.adapters.fetch import FetchFailed, GuardedFetch

log = structlog.get_logger()

#: Seconds that a fetched key set is used without asking again.
FRESH_S: Final = 300
#: Seconds in which an address is asked at most once, whatever it answers.
COOL_S: Final = 30
#: The most key sets that are kept; the one first asked for longest ago goes first.
MOST: Final = 1000


@dataclass(slots=True)
class _Published:
    """What is known of one address. Moments of the monotonic clock."""

    keys: JwkSet | None = None
    fetched_at: float = float("-inf")
    asked_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ClientKeys:
    """Finds the keys that a client's assertion may be verified with."""

    def __init__(self, fetch: GuardedFetch, *, monotonic: Clock) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._published: OrderedDict[str, _Published] = OrderedDict()

    async def of(self, client: ClientMetadata, *, kid: str | None) -> JwkSet:
        """The client's public keys; those it publishes are fetched again when none of them is called `kid`.

        While its address does not answer, the keys it last gave stay in use.

        Raises:
            OAuthError: INVALID_CLIENT when the client has no keys, or they cannot be had.
        """
        if client.jwks is not None:
            return _registered(client.jwks)
        if client.jwks_uri is None:
            raise _refused("the client has no keys")
        known = self._published.setdefault(client.jwks_uri, _Published())
        if len(self._published) > MOST:
            self._published.popitem(last=False)
        async with known.lock:  # one asks, and the others wait for what it is told
            if self._is_due(known, kid):
                await self._ask(client.jwks_uri, known)
        if known.keys is None:
            raise _refused("the client's jwks_uri cannot be used")
        return known.keys

    def _is_due(self, known: _Published, kid: str | None) -> bool:
        now = self._monotonic()
        if now < known.asked_at + COOL_S:
            return False
        has_it = known.keys is not None and (kid is None or any(key.kid == kid for key in known.keys))
        return not has_it or now >= known.fetched_at + FRESH_S

    async def _ask(self, url: str, known: _Published) -> None:
        known.asked_at = self._monotonic()
        try:
            known.keys = JwkSet.parse(await self._fetch.get_json(url))
            known.fetched_at = known.asked_at
        except FetchFailed as failed:
            log.warning("client_keys_not_fetched", detail=str(failed))
        except JoseError as error:
            log.warning("client_keys_unusable", url=url, detail=str(error))
            if error.code is JoseErrorCode.UNUSABLE_KEY:
                # Whoever publishes a private key has lost it.
                known.keys = None


def _registered(jwks: Mapping[str, Any]) -> JwkSet:
    try:
        return JwkSet.parse(jwks)
    except JoseError as error:
        raise _refused(f"the client's key set: {error}") from None


def _refused(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_CLIENT, detail=detail)
