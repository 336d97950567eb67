"""Problems: every refusal that is ours to name, with its status and the words a caller may see."""

from enum import StrEnum
from typing import Any


class ProblemCode(StrEnum):
    """The stable `code` of a problem document (RFC 9457). Listed in docs/errors.md."""

    status: int
    words: str

    def __new__(cls, value: str, status: int, words: str) -> "ProblemCode":
        member = str.__new__(cls, value)
        member._value_ = value
        member.status = status
        member.words = words
        return member

    INVALID_REQUEST = "invalid_request", 400, "The request is not well formed."
    UNKNOWN_SCOPE = "unknown_scope", 400, "No resource server has all the scopes asked for."
    UNKNOWN_CLIENT = "unknown_client", 400, "There is no client of that client_id."
    UNREGISTERED_REDIRECT_URI = (
        "unregistered_redirect_uri",
        400,
        "The address to return to is not registered for the application.",
    )
    TOKEN_MISSING = "token_missing", 401, "This call needs an access token."
    INVALID_TOKEN = "invalid_token", 401, "The access token is not valid."
    INVALID_CREDENTIALS = "invalid_credentials", 401, "User name or password is wrong."
    SESSION_ENDED = "session_ended", 401, "This session is over; sign in again."
    INVALID_REFRESH_TOKEN = "invalid_refresh_token", 401, "This is not a refresh token of this server."
    USER_DISABLED = "user_disabled", 403, "This user has been disabled; ask whoever runs this service."
    FIRST_PARTY_ONLY = "first_party_only", 403, "This call is for the applications of this service alone."
    INSUFFICIENT_SCOPE = "insufficient_scope", 403, "The access token does not cover this call."
    CROSS_SITE_REQUEST = (
        "cross_site_request",
        403,
        "This form was not sent from the page it belongs to, or is out of date.",
    )
    NOT_FOUND = "not_found", 404, "There is nothing at this address."
    SESSION_NOT_FOUND = "session_not_found", 404, "You have no live session of that id."
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "This address does not answer that method."
    REQUEST_TIMEOUT = "request_timeout", 408, "The request took too long to arrive."
    BODY_TOO_LARGE = "body_too_large", 413, "The body is larger than this call takes."
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The body has to be application/json."
    TOO_MANY_ATTEMPTS = "too_many_attempts", 429, "Too many wrong attempts; wait before the next one."
    HEAD_TOO_LARGE = "head_too_large", 431, "The request line and headers are larger than this server takes."
    SERVER_ERROR = "server_error", 500, "Something went wrong here; the log has it under the incident id."
    BUSY = "busy", 503, "Too many sign-ins at this moment; try again shortly."
    SIGNING_UNAVAILABLE = "signing_unavailable", 503, "Tokens cannot be signed now; try again shortly."
    DATABASE_UNAVAILABLE = "database_unavailable", 503, "The database cannot be used now; try again shortly."


class Problem(Exception):
    """A refusal with a stable code.

    Args:
        code: what it is.
        detail: for the log; never sent.
        told: for the caller, in place of the code's own words; never contains what the caller sent.
        retry_after_s: when trying again makes sense.
        members: further members of the problem document.
        challenge: the value of `WWW-Authenticate`.
    """

    def __init__(
        self,
        code: ProblemCode,
        *,
        detail: str = "",
        told: str | None = None,
        retry_after_s: int | None = None,
        members: dict[str, Any] | None = None,
        challenge: str | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.told = told or code.words
        self.retry_after_s = retry_after_s
        self.members = members or {}
        self.challenge = challenge
