"""The answer to whoever may have tokens."""

from dataclasses import dataclass

from mapae.secret import Secret


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and the refresh token that renews it; lives in seconds, `refresh_expires_in` to the absolute end."""

    access_token: Secret
    expires_in: int
    refresh_token: Secret
    refresh_expires_in: int
    session_id: str
    scope: str
