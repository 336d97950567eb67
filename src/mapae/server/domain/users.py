"""Users: who may sign in, and what is said of them in tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """One person. `username` as it was given, `username_key` as it is compared; moments in NumericDate seconds.

    `claims` are standard claims other than those of `email`, by their names (OpenID Connect Core section 5.1).
    """

    id: str
    username: str
    username_key: str
    password_hash: str | None
    roles: tuple[str, ...]
    created_at: int
    email: str | None = None
    email_verified: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict)
    updated_at: int | None = None
    disabled_at: int | None = None
