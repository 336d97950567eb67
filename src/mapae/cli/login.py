"""`mapae login`: sign in with a password and keep the tokens."""

import sys

import click

from mapae.cli.output import paint
from mapae.cli.signed_in import failures_told
from mapae.client.origin import issuer_url
from mapae.client.session import Session
from mapae.client.store import remember_current


@click.command()
@click.argument("url")
@click.option("--username", metavar="NAME", help="Asked for when missing.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, up to its end.")
@click.option(
    "--device-name", metavar="NAME", help="What your list of devices shows; by default this host's name."
)
def command(url: str, username: str | None, password_stdin: bool, device_name: str | None) -> None:
    """Sign in to the server at URL and keep the tokens in a file only you can read.

    \b
    Examples:
      mapae login https://auth.example.com --username alice
      pass show auth | mapae login https://auth.example.com --username alice --password-stdin
    """
    with failures_told():
        issuer = issuer_url(url)
        name, password = _credentials(username, password_stdin)
        session = Session.login(issuer, name, password, device_name=device_name or _host_name())
        remember_current(issuer)
    click.echo(f"Signed in to {paint(issuer, bold=True)} as {paint(session.username, bold=True)}.")


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
