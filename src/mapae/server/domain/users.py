"""Users: who may sign in, and what is said of them in tokens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """One person. `username` as it was given, `username_key` as it is compared; moments in NumericDate seconds."""

    id: str
    username: str
    username_key: str
    password_hash: str | None
    roles: tuple[str, ...]
    created_at: int
    email: str | None = None
    email_verified: bool = False
    disabled_at: int | None = None
