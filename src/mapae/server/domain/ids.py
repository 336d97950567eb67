"""Identifiers: short, unguessable enough to be unique, never a secret."""

from mapae.entropy import Entropy
from mapae.jose import base64url

#: 72 bits. Short, because `sub`, `sid` and `jti` travel in every request; a primary key backs each kept one.
ID_BYTES = 9


def new_id(entropy: Entropy) -> str:
    """A new identifier: 12 base64url characters (72 random bits)."""
    return base64url.encode(entropy(ID_BYTES))
