"""`mapae status`: who is signed in where, and for how long."""

import click

from mapae.cli.options import json_option
from mapae.cli.sign_in_rows import print_sign_ins


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Show who is signed in where, and for how long. Asks no server.

    The current profile, which commands mean when none is named, has a star.

    \b
    Examples:
      mapae status
      mapae status --json
    """
    print_sign_ins(as_json=as_json)
