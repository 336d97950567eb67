"""The answer to whoever may have tokens."""

from dataclasses import dataclass

from mapae.secret import Secret


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and the refresh token that renews it.

    Lives are in seconds; `refresh_expires_in` counts to the absolute end of the session.
    """

    access_token: Secret
    expires_in: int
    refresh_token: Secret
    refresh_expires_in: int
    session_id: str
    scope: str
