"""What can go wrong for a client, and who has to act: the person, the network, the disk or the caller."""

from typing import Final

from mapae import misuse


class ClientError(Exception):
    """The base of everything this package raises; the message says what happened and never holds a secret."""


class Misuse(ClientError, misuse.Misuse):
    """The calling code asks for something unsafe or without sense, such as a token over plain http."""


class LoginRequired(ClientError):
    """Nobody is signed in: the person has to sign in (again). By now no token of the session is stored.

    Attributes:
        reason: `not_signed_in`; `invalid_refresh_token`, or of an OAuth server that says no more,
            `invalid_grant`; or why the server ended the session: `expired`, `idle`, `logged_out`, `replayed`,
            `password_changed`, `user_disabled`, `revoked_by_user`, `revoked_by_admin`, `client_removed`,
            `key_lost`.
    """

    def __init__(self, issuer: str, reason: str) -> None:
        super().__init__(f"signing in to {issuer} is needed: {reason.replace('_', ' ')}")
        self.issuer: Final = issuer
        self.reason: Final = reason


class LoginRefused(ClientError):
    """The server refused to sign in; nothing was stored.

    Attributes:
        code: the server's stable code, such as `user_disabled`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code: Final = code


class InvalidCredentials(LoginRefused):
    """Wrong user name or password; which of the two, the server does not tell."""


class TooManyAttempts(LoginRefused):
    """The server has the caller wait.

    Attributes:
        retry_after: seconds to wait, None when the server did not say.
    """

    def __init__(self, code: str, message: str, retry_after: float | None) -> None:
        super().__init__(code, message)
        self.retry_after: Final = retry_after


class Unavailable(ClientError):
    """The server could not be reached or could not answer. Nothing stored was touched; try again later.

    Attributes:
        retry_after: seconds to wait before the next attempt, None when nothing is known.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after: Final = retry_after


class AnswerLost(Unavailable):
    """The connection broke after the request had gone out: the server may or may not have acted."""


class UnexpectedAnswer(Unavailable):
    """Something answered that is no Mapae server: a proxy, a captive portal, another service."""


class StepUpRequired(ClientError):
    """The token is good, and the API wants one that says more: sign in again, asking for what it names.

    Attributes:
        error: `insufficient_scope` (RFC 6750) or `insufficient_user_authentication` (RFC 9470).
        scope: what the token must allow, separated by spaces; empty when the API did not say.
        acr_values: the strengths of sign-in one of which is needed, separated by spaces; empty when any will do.
        max_age: seconds the sign-in may lie back, None when any time will do.
    """

    def __init__(
        self, error: str, *, scope: str = "", acr_values: str = "", max_age: int | None = None
    ) -> None:
        wanted = [f"scope {scope}"] * bool(scope) + [f"sign-in of strength {acr_values}"] * bool(acr_values)
        if max_age is not None:
            wanted.append(f"sign-in at most {max_age} s ago")
        super().__init__(f"the API wants more than this sign-in gave: {', '.join(wanted) or error}")
        self.error: Final = error
        self.scope: Final = scope
        self.acr_values: Final = acr_values
        self.max_age: Final = max_age


class StoreFailed(ClientError):
    """The local store cannot be read or written, or is not safe to use; the message says what to do."""
