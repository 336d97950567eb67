"""Sealing: what is kept in the database although it is secret, encrypted under the installation's secret key."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mapae.entropy import Entropy
from mapae.server.domain.derived_keys import derive

_NONCE_BYTES = 12


class CannotOpen(Exception):
    """Sealed under another secret key, for another purpose, or altered."""


class Sealer:
    """AES-256-GCM under keys derived (HKDF-SHA-256) from secret keys of 32 bytes or more.

    Args:
        secret_key: what it seals under.
        former: what it also opens.
    """

    def __init__(self, secret_key: bytes, entropy: Entropy, *, former: Sequence[bytes] = ()) -> None:
        self._cipher, *self._former = (_cipher(secret) for secret in (secret_key, *former))
        self._entropy = entropy

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """`plain`, so that only `open` with the same secret key and `purpose` gives it back."""
        nonce = self._entropy(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """What was sealed.

        Raises:
            CannotOpen: see there.
        """
        for cipher in (self._cipher, *self._former):
            try:
                return _opened(cipher, sealed, purpose)
            except CannotOpen:
                continue
        raise CannotOpen

    def is_current(self, sealed: bytes, *, purpose: str) -> bool:
        """Whether it was sealed under the secret key of now, not under a former one."""
        try:
            _opened(self._cipher, sealed, purpose)
        except CannotOpen:
            return False
        return True


def _cipher(secret_key: bytes) -> AESGCM:
    return AESGCM(derive(secret_key, "mapae sealing key 1"))


def _opened(cipher: AESGCM, sealed: bytes, purpose: str) -> bytes:
    nonce, box = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, box, purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotOpen from error
