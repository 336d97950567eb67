"""What the user's verbs share: the tokens of a profile, and how the client's failures are said."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.profiles import Profile, chosen
from mapae.client.errors import ClientError, LoginRefused, LoginRequired, StoreFailed, Unavailable
from mapae.client.records import Tokens
from mapae.client.session import Session


def access_token(issuer: str | None = None, profile: str | None = None, min_life: float = 60) -> str:
    """A valid access token: that of `MAPAE_TOKEN` as it is, else the session's, renewed when needed.

    Args:
        issuer: of the profile that is meant; `profile`: its name; by default the current one.
        min_life: seconds it has left at least.

    Raises:
        CommandFailed: no token can be had.
    """
    if given := os.environ.get("MAPAE_TOKEN"):
        return given
    with failures_told():
        meant = chosen(issuer, profile)
    with failures_told(meant):
        return Session.load(meant.issuer, store=meant.store()).token(min_life)


def kept_tokens(issuer: str | None = None, profile: str | None = None) -> Tokens:
    """The stored tokens, be they over or not. Asks no server.

    Raises:
        CommandFailed: there are none.
    """
    with failures_told():
        meant = chosen(issuer, profile)
    with failures_told(meant):
        sign_in = meant.store().read()
        if sign_in is None or sign_in.tokens is None:
            raise LoginRequired(meant.issuer, (sign_in and sign_in.ended) or "not_signed_in")
        return sign_in.tokens


def kept_token(issuer: str | None = None, profile: str | None = None) -> str:
    """The token of `MAPAE_TOKEN`, else the stored one, be it over or not. Asks no server.

    Raises:
        CommandFailed: there is none.
    """
    return os.environ.get("MAPAE_TOKEN") or kept_tokens(issuer, profile).access_token.reveal()


@contextmanager
def failures_told(profile: Profile | None = None) -> Iterator[None]:
    """Within it, what the client raises ends the command with one line; `profile` is the one to sign in to."""
    try:
        yield
    except LoginRequired as error:
        again = f"mapae login {error.issuer}"
        if profile is not None and profile.name is not None:
            again += f" --profile {profile.name}"
        raise CommandFailed(f"{error}; run: {again}", ExitCode.SIGN_IN_NEEDED) from error
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
