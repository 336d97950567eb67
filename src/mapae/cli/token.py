"""`mapae token`: print a valid access token."""

import click

from mapae.cli.options import issuer_option
from mapae.cli.signed_in import access_token


@click.command()
@issuer_option
@click.option(
    "--min-life",
    default=60,
    show_default=True,
    type=click.IntRange(0, 86_400),
    metavar="SECONDS",
    help="Renew a token that dies sooner.",
)
def command(issuer: str | None, min_life: int) -> None:
    """Print a valid access token, renewed when needed.

    A token in the variable MAPAE_TOKEN is printed as it is.
    """
    click.echo(access_token(issuer, min_life))
