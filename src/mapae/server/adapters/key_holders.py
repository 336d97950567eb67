"""Who has private keys, and signs with them: here the database, which keeps them sealed."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from mapae.entropy import Entropy
from mapae.jose import base64url, strict_json
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.jwk import Jwk
from mapae.server.adapters.sealing import Sealer
from mapae.server.domain.keys import REFRESH_ALGORITHM, Key
from mapae.server.domain.refresh_token import KEY_ID_BYTES, KEY_MATERIAL_BYTES, RefreshKey, derive_refresh_key


class HolderUnavailable(Exception):
    """Whoever has the private key cannot be asked now, or does not know it. The text is for the operator."""


class Signer(Protocol):
    """Makes signatures with one key, wherever its private part is."""

    async def sign(self, data: bytes) -> bytes:
        """The signature over `data`, as the key's algorithm has it in a JWS (RFC 7518 section 3).

        Raises:
            HolderUnavailable: see there.
        """


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key: `public` is its public JWK with `kid`, `sealed` what the database keeps of its private part."""

    kid: str
    public: dict[str, Any]
    sealed: bytes


class KeyHolder(Protocol):
    """Has private keys. Whatever can make a key, and sign bytes with the key of an id, can be one.

    Both methods may take their time: they are called in a thread.
    """

    @property
    def name(self) -> str:
        """What `Key.holder` says of its keys."""

    def make(self, algorithm: str) -> MadeKey:
        """A new key.

        Raises:
            HolderUnavailable: see there.
        """

    def signer(self, key: Key) -> Signer:
        """What signs with `key`.

        Raises:
            HolderUnavailable: see there.
            CannotOpen: it is sealed, and not under a secret key of the settings.
        """


@dataclass(frozen=True, slots=True)
class LocalSigner:
    """Signs in this process."""

    key: Jwk

    async def sign(self, data: bytes) -> bytes:
        """See `Signer`."""
        assert self.key.alg is not None
        return ALGORITHMS[self.key.alg].sign(self.key.private_key, data)


class SealedKeys:
    """The database as holder. It alone has the keys of refresh tokens, too."""

    name = "database"

    def __init__(self, secret_key: bytes, sealer: Sealer, entropy: Entropy) -> None:
        self._secret_key = secret_key
        self._sealer = sealer
        self._entropy = entropy

    def make(self, algorithm: str) -> MadeKey:
        """See `KeyHolder`."""
        key = Jwk.generate(algorithm)
        assert key.kid is not None
        plain = strict_json.dump(key.to_dict())
        return MadeKey(
            key.kid, key.public().to_dict(), self._sealer.seal(plain, purpose=_signing_purpose(key.kid))
        )

    def signer(self, key: Key) -> LocalSigner:
        """See `KeyHolder`."""
        return LocalSigner(Jwk.parse(strict_json.parse_object(self._open(key))))

    def make_refresh_key(self) -> MadeKey:
        """A new key for refresh tokens."""
        return self._made(RefreshKey(self._entropy(KEY_ID_BYTES), self._entropy(KEY_MATERIAL_BYTES)))

    def inherited_refresh_key(self) -> MadeKey:
        """The key of versions that kept none, so that their tokens are read."""
        return self._made(derive_refresh_key(self._secret_key))

    def refresh_key(self, key: Key) -> RefreshKey:
        """The key of refresh tokens that `key` describes.

        Raises:
            CannotOpen: see there.
        """
        return RefreshKey(base64url.decode(key.kid), self._open(key))

    def resealed(self, key: Key) -> Key:
        """The same key, sealed under the secret key of now.

        Raises:
            CannotOpen: see there.
        """
        purpose = _purpose(key)
        if self._sealer.is_current(key.sealed, purpose=purpose):
            return key
        return replace(key, sealed=self._sealer.seal(self._open(key), purpose=purpose))

    def _made(self, key: RefreshKey) -> MadeKey:
        kid = base64url.encode(key.id)
        return MadeKey(kid, {}, self._sealer.seal(key.material, purpose=_refresh_purpose(kid)))

    def _open(self, key: Key) -> bytes:
        return self._sealer.open(key.sealed, purpose=_purpose(key))


def _purpose(key: Key) -> str:
    return _refresh_purpose(key.kid) if key.algorithm == REFRESH_ALGORITHM else _signing_purpose(key.kid)


def _signing_purpose(kid: str) -> str:
    return f"signing key {kid}"


def _refresh_purpose(kid: str) -> str:
    return f"refresh key {kid}"
