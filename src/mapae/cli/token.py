"""`mapae token`: print a valid access token."""

import os

import click

from mapae.cli.claims import claims_of
from mapae.cli.options import min_life_option, profile_options
from mapae.cli.signed_in import access_token, kept_tokens
from mapae.cli.token_formats import FORMATS, Issued


@click.command()
@profile_options
@min_life_option
@click.option(
    "--format",
    "form",
    default="raw",
    show_default=True,
    type=click.Choice(list(FORMATS)),
    metavar="FORMAT",
    help=f"{', '.join(FORMATS)}.",
)
def command(issuer: str | None, profile: str | None, min_life: int, form: str) -> None:
    """Print a valid access token, renewed when needed.

    A token in the variable MAPAE_TOKEN is printed as it is. The format exec-credential is for kubectl; netrc is for
    programs that send a password to the hosts the token is meant for, with the user name oauth2.

    \b
    Examples:
      mapae token
      mapae token --profile work --min-life 300
      mapae token --format header | curl --header @- https://api.example.com/orders
    """
    token = access_token(issuer, profile, min_life)
    click.echo(FORMATS[form](Issued(token, _end_of(token, issuer, profile))))


def _end_of(token: str, issuer: str | None, profile: str | None) -> int | None:
    if os.environ.get("MAPAE_TOKEN"):
        end = claims_of(token).get("exp")
        return end if isinstance(end, int) and not isinstance(end, bool) else None
    tokens = kept_tokens(issuer, profile)
    return int(tokens.expires_at - tokens.skew_s)
