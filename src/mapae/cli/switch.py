"""`mapae switch`: choose the profile that commands mean when none is named."""

import os

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.options import complete_profile, json_option
from mapae.cli.output import paint
from mapae.cli.profiles import labelled, make_current
from mapae.cli.sign_in_rows import print_sign_ins
from mapae.cli.signed_in import failures_told


@click.command()
@click.argument("profile", required=False, shell_complete=complete_profile)
@json_option
def command(profile: str | None, as_json: bool) -> None:
    """Choose PROFILE for the commands to come: a name, or the URL of a server. Without it, list them.

    A profile is a sign-in with a name, made with `mapae login URL --profile NAME`; a sign-in without a name goes by
    the URL of its server. The variable MAPAE_PROFILE chooses for one shell.

    \b
    Examples:
      mapae switch
      mapae switch work
      mapae switch https://auth.example.com
    """
    if profile is None:
        print_sign_ins(as_json=as_json)
        return
    with failures_told():
        wanted = labelled(profile)
        if wanted.store().read() is None:
            raise CommandFailed(
                f"nobody is signed in to {wanted.issuer}; run: mapae login {wanted.issuer}",
                ExitCode.SIGN_IN_NEEDED,
            )
        make_current(wanted)
    click.echo(f"Commands now mean {paint(wanted.label, bold=True)}.")
    if os.environ.get("MAPAE_PROFILE"):
        click.echo("In this shell MAPAE_PROFILE decides; to go by the switch, unset it.", err=True)
