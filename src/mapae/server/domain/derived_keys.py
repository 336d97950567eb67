"""Keys for one purpose each, derived from the secret key of the installation."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(secret_key: bytes, label: str) -> bytes:
    """32 bytes that only who has the secret key can know, others for each label (HKDF-SHA-256, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=label.encode()).derive(secret_key)
