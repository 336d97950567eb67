"""Signing keys as they are kept: public part readable, private part sealed."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SealedKey:
    """One signing key. `public` is its public JWK; `sealed` its private JWK under the installation's secret key."""

    kid: str
    algorithm: str
    public: dict[str, Any]
    sealed: bytes
    created_at: int
