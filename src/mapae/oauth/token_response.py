"""What the token endpoint answers (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3)."""

from dataclasses import dataclass
from typing import Any

from mapae.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """The tokens of one answer; lives in seconds.

    Two members are ours: `refresh_expires_in` counts to the absolute end of the session `session_id`.
    """

    access_token: Secret
    expires_in: int
    scope: str
    refresh_token: Secret | None = None
    refresh_expires_in: int | None = None
    session_id: str | None = None
    id_token: Secret | None = None

    def to_dict(self) -> dict[str, Any]:
        """The members as they are sent; this is where the tokens leave."""
        members = {
            "access_token": self.access_token.reveal(),
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": self.scope or None,
            "refresh_token": self.refresh_token and self.refresh_token.reveal(),
            "refresh_expires_in": self.refresh_expires_in,
            "session_id": self.session_id,
            "id_token": self.id_token and self.id_token.reveal(),
        }
        return {name: value for name, value in members.items() if value is not None}
