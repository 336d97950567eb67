"""Why a token is refused, and what the answer to that is."""

from collections.abc import Iterable
from enum import StrEnum

from mapae.jose.errors import JoseError, JoseErrorCode
from mapae.oauth import bearer
from mapae.oauth.errors import ErrorCode


class RejectionCode(StrEnum):
    """The reason, in a word that stays the same; with the code of RFC 6750 and words that help no attacker."""

    error: ErrorCode | None
    description: str

    def __new__(cls, value: str, error: ErrorCode | None, description: str) -> "RejectionCode":
        member = str.__new__(cls, value)
        member._value_ = value
        member.error = error
        member.description = description
        return member

    # RFC 6750 section 3.1: a request without a token is told no error code.
    MISSING = "missing", None, "This call needs an access token."
    MALFORMED = "malformed", ErrorCode.INVALID_TOKEN, "This is not an access token."
    BAD_SIGNATURE = (
        "bad_signature",
        ErrorCode.INVALID_TOKEN,
        "The signature of the access token is not valid.",
    )
    UNKNOWN_KEY = "unknown_key", ErrorCode.INVALID_TOKEN, "The access token is signed with an unknown key."
    WRONG_ISSUER = "wrong_issuer", ErrorCode.INVALID_TOKEN, "The access token is from another issuer."
    WRONG_AUDIENCE = "wrong_audience", ErrorCode.INVALID_TOKEN, "The access token is for another audience."
    WRONG_TYPE = "wrong_type", ErrorCode.INVALID_TOKEN, "This token is not an access token."
    EXPIRED = "expired", ErrorCode.INVALID_TOKEN, "The access token has expired."
    NOT_YET_VALID = "not_yet_valid", ErrorCode.INVALID_TOKEN, "The access token is not valid yet."
    REVOKED = "revoked", ErrorCode.INVALID_TOKEN, "The access token has been revoked."
    WRONG_BINDING = (
        "wrong_binding",
        ErrorCode.INVALID_TOKEN,
        "The access token is bound to a key not proved here.",
    )
    INSUFFICIENT_SCOPE = (
        "insufficient_scope",
        ErrorCode.INSUFFICIENT_SCOPE,
        ErrorCode.INSUFFICIENT_SCOPE.description,
    )
    INSUFFICIENT_USER_AUTHENTICATION = (
        "insufficient_user_authentication",
        ErrorCode.INSUFFICIENT_USER_AUTHENTICATION,
        ErrorCode.INSUFFICIENT_USER_AUTHENTICATION.description,
    )
    KEYS_UNAVAILABLE = (
        "keys_unavailable",
        ErrorCode.TEMPORARILY_UNAVAILABLE,
        "The access token cannot be checked now; try again shortly.",
    )


class TokenRejected(Exception):
    """A request whose token is missing, not valid, or not enough.

    Attributes:
        code: the reason.
        description: safe to show to anyone.
        detail: for the log; which rule was broken, never the token.
        error: the code of RFC 6750 section 3.1 for the answer; None when no token was presented.
        needed: what would do, by the names it has in the challenge: `scope`, `max_age`, `acr_values`.
        status: of the answer: 401, 403 for a scope or role that is missing, 400 for a request that presents a token in
            two ways, 503 while the keys of the issuer cannot be had.
    """

    def __init__(
        self,
        code: RejectionCode,
        detail: str,
        *,
        error: ErrorCode | None = None,
        scopes: Iterable[str] = (),
        max_age_s: int | None = None,
        acr_values: Iterable[str] = (),
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.description = code.description
        self.detail = detail
        self.error = error or code.error
        self.status = self.error.status if self.error else 401
        needed = {
            "scope": " ".join(scopes),
            "max_age": "" if max_age_s is None else str(max_age_s),
            "acr_values": " ".join(acr_values),
        }
        self.needed = {name: value for name, value in needed.items() if value}

    def challenge(self, *, realm: str = "api", resource_metadata: str | None = None) -> str:
        """The `WWW-Authenticate` value for the answer.

        Args:
            realm: names what is protected.
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728 section 5.1).

        Implements: RFC 6750 section 3, RFC 9470 section 3. Codes that they do not define (503) are left out.
        """
        error = self.error if self.status != 503 else None
        return bearer.challenge(
            realm=realm,
            scope=self.needed.get("scope"),
            error=error,
            error_description=self.description if error else None,
            max_age=self.needed.get("max_age"),
            acr_values=self.needed.get("acr_values"),
            resource_metadata=resource_metadata,
        )

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


_OF_JOSE = {
    JoseErrorCode.MALFORMED: RejectionCode.MALFORMED,
    JoseErrorCode.ALGORITHM_REFUSED: RejectionCode.BAD_SIGNATURE,
    JoseErrorCode.BAD_SIGNATURE: RejectionCode.BAD_SIGNATURE,
    JoseErrorCode.UNKNOWN_KEY: RejectionCode.UNKNOWN_KEY,
    JoseErrorCode.UNUSABLE_KEY: RejectionCode.UNKNOWN_KEY,
    JoseErrorCode.WRONG_TYPE: RejectionCode.WRONG_TYPE,
    JoseErrorCode.WRONG_ISSUER: RejectionCode.WRONG_ISSUER,
    JoseErrorCode.WRONG_AUDIENCE: RejectionCode.WRONG_AUDIENCE,
    JoseErrorCode.EXPIRED: RejectionCode.EXPIRED,
    JoseErrorCode.NOT_YET_VALID: RejectionCode.NOT_YET_VALID,
}


def rejected(error: JoseError) -> TokenRejected:
    """The rejection that a JOSE error means to an API."""
    return TokenRejected(_OF_JOSE[error.code], error.detail)
