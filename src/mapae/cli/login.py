"""`mapae login`: sign in with a password and keep the tokens."""

import os
import sys

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.output import paint
from mapae.cli.profiles import Profile, make_current, profile_name, sign_ins
from mapae.cli.signed_in import failures_told
from mapae.client.origin import issuer_url
from mapae.client.session import Session


@click.command()
@click.argument("url")
@click.option("--username", metavar="NAME", help="Asked for when missing.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, up to its end.")
@click.option("--profile", metavar="NAME", help="Keep this sign-in under a name, beside others.")
@click.option(
    "--device-name", metavar="NAME", help="What your list of devices shows; by default this host's name."
)
def command(
    url: str, username: str | None, password_stdin: bool, profile: str | None, device_name: str | None
) -> None:
    """Sign in to the server at URL and keep the tokens in a file only you can read.

    Commands that name no profile mean this sign-in from now on.

    \b
    Examples:
      mapae login https://auth.example.com
      mapae login https://auth.example.com --username alice --profile work
      pass show auth | mapae login https://auth.example.com --username alice --password-stdin
    """
    with failures_told():
        meant = _profile(url, profile)
        name, password = _credentials(username, password_stdin)
        session = Session.login(
            meant.issuer, name, password, device_name=device_name or _host_name(), store=meant.store()
        )
        make_current(meant)
    under = f" (profile {paint(meant.name, bold=True)})" if meant.name else ""
    click.echo(
        f"Signed in to {paint(meant.issuer, bold=True)} as {paint(session.username, bold=True)}{under}."
    )
    if os.environ.get("MAPAE_TOKEN"):
        click.echo("MAPAE_TOKEN is set: commands use that token and not this sign-in.", err=True)


def _profile(url: str, name: str | None) -> Profile:
    """The profile to sign in to. A name means one server at a time."""
    meant = Profile(issuer_url(url), profile_name(name) if name is not None else None)
    for kept, sign_in in sign_ins() if meant.name else ():
        if kept.name != meant.name or kept == meant:
            continue
        if sign_in.tokens is not None:
            raise CommandFailed(
                f"the profile {kept.name} is signed in to {kept.issuer}; choose another name, "
                f"or run: mapae logout --profile {kept.name}",
                ExitCode.USAGE,
            )
        kept.store().delete()
    return meant


def _credentials(username: str | None, password_stdin: bool) -> tuple[str, str]:
    if password_stdin:
        if username is None:
            raise click.UsageError("--password-stdin needs --username")
        return username, sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the password; use --password-stdin")
    name = username or click.prompt("User name", err=True)
    return name, click.prompt("Password", hide_input=True, err=True)


def _host_name() -> str:
    from socket import gethostname

    return gethostname()
