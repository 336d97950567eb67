"""What can go wrong for a client, and who has to act: the person, the network, the disk or the caller."""

from typing import Final


class ClientError(Exception):
    """The base of everything this package raises; the message says what happened and never holds a secret."""


class Misuse(ClientError, ValueError):
    """The calling code asks for something unsafe or without sense, such as a token over plain http."""


class LoginRequired(ClientError):
    """Nobody is signed in: the person has to sign in (again). By now no token of the session is stored.

    Attributes:
        reason: `not_signed_in`, `invalid_refresh_token`, or why the server ended the session: `expired`,
            `idle`, `logged_out`, `replayed`, `password_changed`, `user_disabled`, `revoked_by_user`,
            `revoked_by_admin`, `client_removed`, `key_lost`.
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


class StoreFailed(ClientError):
    """The local store cannot be read or written, or is not safe to use; the message says what to do."""
