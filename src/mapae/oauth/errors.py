"""Why an OAuth request is refused: the code on the wire, words for the client, detail for the log."""

from collections.abc import Mapping
from enum import StrEnum


class ErrorCode(StrEnum):
    """A registered value of `error`, with the HTTP status it travels with and words that help no attacker.

    The authorization endpoint sends the same codes in a redirect; there the status does not apply.
    """

    status: int
    description: str

    def __new__(cls, value: str, status: int, description: str) -> "ErrorCode":
        member = str.__new__(cls, value)
        member._value_ = value
        member.status = status
        member.description = description
        return member

    # RFC 6749 sections 4.1.2.1 and 5.2
    INVALID_REQUEST = "invalid_request", 400, "The request is not well formed."
    INVALID_CLIENT = "invalid_client", 401, "The client could not be authenticated."
    INVALID_GRANT = "invalid_grant", 400, "The grant is not valid, or not for this client."
    UNAUTHORIZED_CLIENT = "unauthorized_client", 400, "The client may not do this."
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type", 400, "The grant type is not supported."
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type", 400, "The response type is not supported."
    INVALID_SCOPE = "invalid_scope", 400, "The scope is unknown, malformed or more than may be granted."
    ACCESS_DENIED = "access_denied", 403, "The request was denied."
    SERVER_ERROR = "server_error", 500, "Something went wrong at the server."
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable", 503, "This cannot be done now; try again shortly."
    # OpenID Connect Core section 3.1.2.6
    LOGIN_REQUIRED = "login_required", 400, "The user has to sign in."
    CONSENT_REQUIRED = "consent_required", 400, "The user has to be asked."
    INTERACTION_REQUIRED = "interaction_required", 400, "The user has to be shown a page."
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required", 400, "The user has to choose an account."
    REQUEST_NOT_SUPPORTED = "request_not_supported", 400, "Request objects are not supported."
    REQUEST_URI_NOT_SUPPORTED = (
        "request_uri_not_supported",
        400,
        "Request objects by reference are not supported.",
    )
    REGISTRATION_NOT_SUPPORTED = (
        "registration_not_supported",
        400,
        "The parameter registration is not supported.",
    )
    # RFC 7009 section 2.2.1
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type", 400, "Tokens of this type cannot be revoked."
    # RFC 7591 section 3.2.2
    INVALID_REDIRECT_URI = "invalid_redirect_uri", 400, "A redirect URI is not valid."
    INVALID_CLIENT_METADATA = (
        "invalid_client_metadata",
        400,
        "A member of the client's metadata is not valid.",
    )
    # RFC 6750 section 3.1
    INVALID_TOKEN = "invalid_token", 401, "The access token is not valid."
    INSUFFICIENT_SCOPE = "insufficient_scope", 403, "The access token does not cover this call."
    # RFC 8707 section 2
    INVALID_TARGET = "invalid_target", 400, "The resource is unknown or may not be asked for."
    # RFC 9449 sections 5 and 8
    INVALID_DPOP_PROOF = "invalid_dpop_proof", 400, "The DPoP proof is not valid."
    USE_DPOP_NONCE = "use_dpop_nonce", 400, "A DPoP proof with the nonce of this server is needed."
    # RFC 9470 section 3
    INSUFFICIENT_USER_AUTHENTICATION = (
        "insufficient_user_authentication",
        401,
        "The user has to sign in again, or in a stronger way.",
    )


class OAuthError(Exception):
    """A request that is refused.

    Args:
        code: goes to the client.
        detail: for the log; never sent, never holds a secret.
        description: for the client, in place of the code's own words; never holds what the client sent.
        members: further members of the answer.
    """

    def __init__(
        self,
        code: ErrorCode,
        *,
        detail: str = "",
        description: str | None = None,
        members: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.description = description or code.description
        self.members = members or {}

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
