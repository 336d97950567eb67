"""Proof Key for Code Exchange: the code is worth nothing to whoever has not the verifier (RFC 7636)."""

import hashlib
import re
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, Self

from mapae.jose import base64url
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.secret import Secret

#: The one method: with `plain`, whoever sees the request has the verifier (RFC 9700 section 2.1.1).
S256: Final = "S256"

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A `code_challenge` of method S256: 43 characters of base64url. It is no secret."""

    value: str

    @classmethod
    def parse(cls, challenge: str, method: str | None) -> Self:
        """The challenge of an authorization request.

        Args:
            method: `code_challenge_method`; not sent, it means `plain`, which is refused.
        Raises:
            OAuthError: INVALID_REQUEST for another method, or what is no SHA-256 in base64url.

        Implements: RFC 7636 section 4.3, S256 only.
        """
        if method != S256:
            raise OAuthError(
                ErrorCode.INVALID_REQUEST,
                detail="code_challenge_method is not S256",
                description="The parameter code_challenge_method has to be S256.",
            )
        if _CHALLENGE.fullmatch(challenge) is None:
            raise OAuthError(
                ErrorCode.INVALID_REQUEST,
                detail="code_challenge is not 43 characters of base64url",
                description="The parameter code_challenge is malformed.",
            )
        return cls(challenge)

    def require(self, verifier: Secret) -> None:
        """Check that `verifier` is the one this challenge was made from.

        Args:
            verifier: 43 to 128 characters of A-Z a-z 0-9 - . _ ~
        Raises:
            OAuthError: INVALID_GRANT when it is malformed or another one.

        Implements: RFC 7636 section 4.6, S256 only (RFC 9700 section 2.1.1).
        Does not check: that the code is unspent or belongs to this client.
        """
        text = verifier.reveal()
        if _VERIFIER.fullmatch(text) is None:
            raise OAuthError(ErrorCode.INVALID_GRANT, detail="code_verifier is malformed")
        made = base64url.encode(hashlib.sha256(text.encode("ascii")).digest())
        if not compare_digest(made, self.value):
            raise OAuthError(ErrorCode.INVALID_GRANT, detail="code_verifier is not that of the challenge")
