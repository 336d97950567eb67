"""What the user's verbs share: which sign-in is meant, and how the client's failures are said."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.client.errors import ClientError, LoginRefused, LoginRequired, StoreFailed, Unavailable
from mapae.client.origin import issuer_url
from mapae.client.session import Session
from mapae.client.store import FileStore, current_issuer


def chosen_issuer(issuer: str | None) -> str:
    """The issuer that was named, else the last one somebody signed in to.

    Raises:
        CommandFailed: nobody ever signed in.
        Misuse: it is no URL a token may be sent to.
    """
    chosen = issuer or current_issuer()
    if chosen is None:
        raise CommandFailed("nobody is signed in; run: mapae login URL", ExitCode.SIGN_IN_NEEDED)
    return issuer_url(chosen)


def access_token(issuer: str | None, min_life: float = 60) -> str:
    """A valid access token: that of `MAPAE_TOKEN` as it is, else the session's, renewed when needed.

    Raises:
        CommandFailed: no token can be had.
    """
    if given := os.environ.get("MAPAE_TOKEN"):
        return given
    with failures_told():
        return Session.load(chosen_issuer(issuer)).token(min_life)


def kept_token() -> str:
    """The token of `MAPAE_TOKEN`, else the stored one, be it over or not. Asks no server.

    Raises:
        CommandFailed: there is none.
    """
    if given := os.environ.get("MAPAE_TOKEN"):
        return given
    with failures_told():
        issuer = chosen_issuer(None)
        sign_in = FileStore.of(issuer).read()
        if sign_in is None or sign_in.tokens is None:
            raise LoginRequired(issuer, (sign_in and sign_in.ended) or "not_signed_in")
        return sign_in.tokens.access_token.reveal()


@contextmanager
def failures_told() -> Iterator[None]:
    """Within it, what the client raises ends the command with one line."""
    try:
        yield
    except LoginRequired as error:
        raise CommandFailed(f"{error}; run: mapae login {error.issuer}", ExitCode.SIGN_IN_NEEDED) from error
    except ClientError as error:
        raise CommandFailed(str(error), _exit_code(error)) from error


def _exit_code(error: ClientError) -> ExitCode:
    match error:
        case LoginRefused():
            return ExitCode.REFUSED
        case Unavailable():
            return ExitCode.NETWORK
        case StoreFailed():
            return ExitCode.LOCAL_STORE
        case _:
            return ExitCode.USAGE
