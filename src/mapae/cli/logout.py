"""`mapae logout`: end the session and delete its tokens."""

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.options import profile_options
from mapae.cli.profiles import chosen
from mapae.cli.signed_in import failures_told
from mapae.client.errors import LoginRequired, Unavailable
from mapae.client.session import Session


@click.command()
@profile_options
@click.option("--all", "everywhere", is_flag=True, help="End your sessions on all devices.")
def command(issuer: str | None, profile: str | None, everywhere: bool) -> None:
    """End the session and delete its tokens from this device.

    \b
    Examples:
      mapae logout
      mapae logout --profile work
      mapae logout --all
    """
    with failures_told():
        meant = chosen(issuer, profile)
    with failures_told(meant):
        session = Session(meant.issuer, meant.store())
        try:
            session.logout("all" if everywhere else "this")
        except LoginRequired:
            if everywhere:
                raise
            click.echo(f"Nobody is signed in to {meant.label}; nothing is kept here.")
            return
        except Unavailable as error:
            kept = (
                "nothing was deleted"
                if everywhere
                else "the tokens here are deleted, the session ends by itself"
            )
            raise CommandFailed(f"{error}; {kept}", ExitCode.NETWORK) from error
    click.echo(f"Signed out of {meant.issuer}{' on all devices' if everywhere else ''}.")
