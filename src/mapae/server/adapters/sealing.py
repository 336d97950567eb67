"""Sealing: what is kept in the database although it is secret, encrypted under the installation's secret key."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mapae.entropy import Entropy

_NONCE_BYTES = 12


class CannotOpen(Exception):
    """Sealed under another secret key, for another purpose, or altered."""


class Sealer:
    """AES-256-GCM under a key derived (HKDF-SHA-256) from the secret key of 32 bytes or more."""

    def __init__(self, secret_key: bytes, entropy: Entropy) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"mapae sealing key 1").derive(secret_key))
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
        nonce, box = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, box, purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen from error
