"""`mapae logout`: end the session and delete its tokens."""

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.options import issuer_option
from mapae.cli.signed_in import chosen_issuer, failures_told
from mapae.client.errors import LoginRequired, Unavailable
from mapae.client.session import Session
from mapae.client.store import FileStore


@click.command()
@issuer_option
@click.option("--all", "everywhere", is_flag=True, help="End your sessions on all devices.")
def command(issuer: str | None, everywhere: bool) -> None:
    """End the session and delete its tokens from this device."""
    with failures_told():
        chosen = chosen_issuer(issuer)
        session = Session(chosen, FileStore.of(chosen))
        try:
            session.logout("all" if everywhere else "this")
        except LoginRequired:
            if everywhere:
                raise
            click.echo(f"Nobody is signed in to {chosen}; nothing is kept here.")
            return
        except Unavailable as error:
            kept = (
                "nothing was deleted"
                if everywhere
                else "the tokens here are deleted, the session ends by itself"
            )
            raise CommandFailed(f"{error}; {kept}", ExitCode.NETWORK) from error
    click.echo(f"Signed out of {chosen}{' on all devices' if everywhere else ''}.")
