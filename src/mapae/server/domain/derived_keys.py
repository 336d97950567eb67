"""Keys for one purpose each, derived from the secret key of the installation."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(secret_key: bytes, label: str, *, size: int = 32) -> bytes:
    """`size` bytes that only who has the secret key can know, others for each label (HKDF-SHA-256, RFC 5869)."""
    return HKDF(SHA256(), size, salt=None, info=label.encode()).derive(secret_key)
