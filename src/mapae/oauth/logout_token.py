"""The logout token: tells a client that a session is over (OpenID Connect Back-Channel Logout section 2.4)."""

from dataclasses import asdict, dataclass
from typing import Any, Final

#: The value of `typ` in the header.
TYPE: Final = "logout+jwt"
#: Seconds it lives. Section 2.4: preferably at most two minutes in the future.
LIFE_S: Final = 120
_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class LogoutTokenClaims:
    """The claims under their names; moments are NumericDate seconds. It never has a `nonce`."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    sid: str

    def to_dict(self) -> dict[str, Any]:
        """The claim set to be signed."""
        return asdict(self) | {"events": {_EVENT: {}}}
