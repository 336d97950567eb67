"""Tokens that were verified a moment ago, so that the next request with one costs a look-up."""

from typing import NamedTuple

from mapae.jose.jwks import JwkSet
from mapae.verifier.access_token import AccessToken


class _Entry(NamedTuple):
    token: AccessToken
    keys: JwkSet
    dies_at: float


class TokenCache:
    """Keyed by the whole token. Holds up to twice `size`; 0 turns it off.

    Two generations stand in for an order of use: what is looked up moves to the young one, and when that is full
    the old one is dropped. Each step is one atomic operation on a dict, so threads need no lock; at worst
    an entry is lost, and its token is verified once more.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[str, _Entry] = {}
        self._old: dict[str, _Entry] = {}

    def find(self, raw: str, keys: JwkSet | None, now: float) -> AccessToken | None:
        """The token, unless it has died, or `keys` are not those it was verified with."""
        entry = self._young.get(raw)
        if entry is None:
            entry = self._old.get(raw)
            if entry is None:
                return None
            self._put(raw, entry)
        return entry.token if entry.keys is keys and now < entry.dies_at else None

    def add(self, raw: str, token: AccessToken, keys: JwkSet, dies_at: float) -> None:
        """Keep a token that was verified with one of `keys` and is good until `dies_at`."""
        if self._size:
            self._put(raw, _Entry(token, keys, dies_at))

    def _put(self, raw: str, entry: _Entry) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[raw] = entry
