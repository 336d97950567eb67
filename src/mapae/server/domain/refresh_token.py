"""The refresh token: `mpr_` and base64url of key id, family id, turn and MAC; nothing of it is ever stored.

| bytes | field |
|---|---|
| 3 | key id: which key made the MAC |
| 9 | family id |
| 4 | turn, big-endian |
| 32 | HMAC-SHA-256 over a label and all before it |

48 bytes are 64 characters without spare bits, so each token has exactly one spelling.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mapae.jose import base64url
from mapae.jose.errors import JoseError
from mapae.secret import Secret
from mapae.server.domain.derived_keys import derive

PREFIX: Final = "mpr_"
#: A MAC key: the bytes that name it in each token, and those that are it.
KEY_ID_BYTES: Final = 3
KEY_MATERIAL_BYTES: Final = 32
_LABEL: Final = b"mapae refresh token 1\x00"
_LENGTH: Final = len(PREFIX) + 64
_KEY_ID, _FAMILY, _TURN = slice(0, 3), slice(3, 12), slice(12, 16)
_SIGNED, _MAC = slice(0, 16), slice(16, 48)


class NotARefreshToken(Exception):
    """Garbage, a forgery, or a token of another installation. Decided without the database."""


class RefreshKeyLost(Exception):
    """Made with a key this installation does not have (any more): nothing in it can be believed."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a token whose MAC is right says."""

    family_id: str
    turn: int


@dataclass(frozen=True, slots=True)
class RefreshKey:
    """One MAC key: `KEY_ID_BYTES` that name it, `KEY_MATERIAL_BYTES` that are it."""

    id: bytes
    material: bytes

    def __repr__(self) -> str:
        return f"RefreshKey({self.id.hex()})"


def derive_refresh_key(secret_key: bytes) -> RefreshKey:
    """The refresh key of an installation's secret key (32 bytes or more). HKDF, RFC 5869."""
    size = KEY_ID_BYTES + KEY_MATERIAL_BYTES
    derived = derive(secret_key, "mapae refresh key 1", size=size)
    return RefreshKey(derived[:KEY_ID_BYTES], derived[KEY_ID_BYTES:])


class RefreshTokenCodec:
    """Writes tokens with the first key, reads tokens of every key.

    Args:
        keys: returns those of the moment: first the one that writes.
    """

    def __init__(self, keys: Callable[[], Sequence[RefreshKey]]) -> None:
        self._keys = keys

    def write(self, family_id: str, turn: int) -> Secret:
        """The token of `turn`: always the same string for the same arguments and key."""
        key = self._keys()[0]
        body = key.id + base64url.decode(family_id) + turn.to_bytes(4, "big")
        return Secret(PREFIX + base64url.encode(body + _mac(key, body)))

    def read(self, token: Secret) -> RefreshToken:
        """What the token says, once its MAC is right.

        Raises:
            NotARefreshToken: another shape, or a wrong MAC.
            RefreshKeyLost: the right shape, under a key id that is not here.
        """
        text = token.reveal()
        if len(text) != _LENGTH or not text.startswith(PREFIX):
            raise NotARefreshToken
        try:
            raw = base64url.decode(text[len(PREFIX) :])
        except JoseError:
            raise NotARefreshToken from None
        key = next((key for key in self._keys() if key.id == raw[_KEY_ID]), None)
        if key is None:
            raise RefreshKeyLost
        if not hmac.compare_digest(_mac(key, raw[_SIGNED]), raw[_MAC]):
            raise NotARefreshToken
        return RefreshToken(base64url.encode(raw[_FAMILY]), int.from_bytes(raw[_TURN], "big"))


def _mac(key: RefreshKey, body: bytes) -> bytes:
    return hmac.digest(key.material, _LABEL + body, hashlib.sha256)
