"""The ID token: tells a client who signed in, when and how (OpenID Connect Core section 2)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mapae.jose import base64url

#: The value of `typ` in the header.
TYPE: Final = "JWT"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenClaims:
    """The claims under their names; moments are NumericDate seconds.

    Attributes:
        aud: the client.
        sid: the session (OpenID Connect Front-Channel Logout section 3).
        at_hash: see `access_token_hash`.
        user: claims about the user that were asked for; they never replace the others.
    """

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    auth_time: int
    sid: str
    acr: str
    amr: tuple[str, ...]
    at_hash: str
    nonce: str | None = None
    user: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The claim set to be signed."""
        members = {
            "iss": self.iss,
            "sub": self.sub,
            "aud": self.aud,
            "exp": self.exp,
            "iat": self.iat,
            "auth_time": self.auth_time,
            "sid": self.sid,
            "acr": self.acr,
            "amr": list(self.amr),
            "at_hash": self.at_hash,
        }
        if self.nonce is not None:
            members["nonce"] = self.nonce
        return {**self.user, **members}


def access_token_hash(access_token: str, algorithm: str) -> str:
    """The claim `at_hash`: the left half of a hash over the token, the one that `algorithm` signs with.

    Implements: section 3.1.3.6. Ed25519 signs with SHA-512 (RFC 8032 section 5.1), the others here with SHA-256.
    """
    hashed = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(
        access_token.encode("ascii")
    ).digest()
    return base64url.encode(hashed[: len(hashed) // 2])
