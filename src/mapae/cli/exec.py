"""`mapae exec`: run a command that finds the access token in its environment."""

import os
import signal
from typing import NoReturn

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.options import min_life_option, profile_options
from mapae.cli.signed_in import access_token


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@profile_options
@min_life_option
@click.option(
    "--variable", "variables", multiple=True, metavar="NAME", help="Put the token into this variable too."
)
@click.argument(
    "arguments", metavar="-- COMMAND [ARGUMENTS]...", nargs=-1, required=True, type=click.UNPROCESSED
)
def command(
    issuer: str | None,
    profile: str | None,
    min_life: int,
    variables: tuple[str, ...],
    arguments: tuple[str, ...],
) -> None:
    """Run COMMAND with the access token in the variable MAPAE_TOKEN.

    COMMAND takes the place of mapae: its signals and its exit code are its own. The token is renewed before it starts
    and never again, so ask with --min-life for as long as COMMAND takes; what outlives a token calls `mapae token`
    itself.

    \b
    Examples:
      mapae exec -- ./nightly-report.sh
      mapae exec --variable VAULT_TOKEN --min-life 240 -- make deploy
    """
    token = access_token(issuer, profile, min_life)
    names = ("MAPAE_TOKEN", *variables)
    for name in names:
        if not name or "=" in name or "\0" in name:
            raise CommandFailed(f"no name of a variable: {name!r}", ExitCode.USAGE)
    run(arguments, {**os.environ, **dict.fromkeys(names, token)})


def run(arguments: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    """Become another program.

    Raises:
        CommandFailed: it cannot be started.
    """
    # Python ignores SIGPIPE, and what is ignored stays so: the other side of a pipe could not end the program.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - no shell is wanted
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CommandFailed(f"{arguments[0]} cannot be run: {reason}", ExitCode.USAGE) from problem
