"""`mapae login`: sign in, with a password or in a browser, and keep the tokens."""

import os
import sys
from typing import Final, TypedDict, Unpack

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.output import paint, printable
from mapae.cli.profiles import Profile, make_current, named, profile_name
from mapae.cli.signed_in import failures_told
from mapae.client.origin import issuer_url
from mapae.client.records import OAuthClient
from mapae.client.session import Session
from mapae.client.store import Store

#: The client that this command is, unless told otherwise; every Mapae server knows it.
CLIENT_ID: Final = "mapae"


class _Options(TypedDict):
    username: str | None
    password_stdin: bool
    device_name: str | None
    browser: bool
    device: bool
    client_id: str | None
    scope: str | None
    resource: str | None


@click.command()
@click.argument("url")
@click.option("--username", metavar="NAME", help="Asked for when missing.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, up to its end.")
@click.option(
    "--device-name", metavar="NAME", help="What your list of devices shows; by default this host's name."
)
@click.option("--profile", metavar="NAME", help="Keep this sign-in under a name, beside others.")
@click.option("--keyring", is_flag=True, help="Keep the tokens in the keyring of the system, if it has one.")
@click.option("--browser", is_flag=True, help="Sign in in the browser of this machine.")
@click.option("--device", is_flag=True, help="Sign in in any browser, with a code: for machines without one.")
@click.option("--client-id", metavar="ID", help=f"As which client of the server; by default {CLIENT_ID}.")
@click.option("--scope", metavar="SCOPES", help="What the token should allow, separated by spaces.")
@click.option("--resource", metavar="URL", help="The API the token should be for.")
def command(url: str, profile: str | None, keyring: bool, **options: Unpack[_Options]) -> None:
    """Sign in to the server at URL and keep the tokens in a file only you can read, or in the keyring.

    A Mapae server takes a password. Any OAuth 2.0 or OpenID Connect server lets you sign in in a browser, with
    --browser or --device. Commands that name no profile mean this sign-in from now on.

    \b
    Examples:
      mapae login https://auth.example.com
      mapae login https://auth.example.com --username alice --profile work
      pass auth | mapae login https://auth.example.com --username alice --password-stdin
      mapae login https://auth.example.com --browser
      mapae login https://login.example.org --device --client-id tools --scope openid
    """
    with failures_told():
        meant = _profile(url, profile)
        store = meant.keyring() if keyring else meant.store()
        session = _sign_in(meant.issuer, store, options)
        make_current(meant)
        username = session.username
    who = f" as {paint(printable(username), bold=True)}" if username else ""
    under = f" (profile {paint(meant.name, bold=True)})" if meant.name else ""
    click.echo(f"Signed in to {paint(meant.issuer, bold=True)}{who}{under}.")
    if keyring and meant.keyring().place == "file":
        click.echo("No keyring works here: the tokens are in a file that only you can read.", err=True)
    if os.environ.get("MAPAE_TOKEN"):
        click.echo("MAPAE_TOKEN is set: commands use that token and not this sign-in.", err=True)


def _sign_in(issuer: str, store: Store, options: _Options) -> Session:
    password = options["username"], options["password_stdin"], options["device_name"]
    browser = (
        options["browser"],
        options["device"],
        options["client_id"],
        options["scope"],
        options["resource"],
    )
    if not any(browser):
        return _with_password(issuer, store, options)
    if any(password):
        raise click.UsageError(
            "--username, --password-stdin and --device-name go with a password, not with a browser"
        )
    if options["browser"] and options["device"]:
        raise click.UsageError("--browser and --device exclude each other")
    from mapae.cli.oauth_login import login_with_browser, login_with_device
    from mapae.client.oauth import OAuthServer

    way = login_with_device if options["device"] else login_with_browser
    client = OAuthClient(
        options["client_id"] or CLIENT_ID, scope=options["scope"] or "", resource=options["resource"]
    )
    return way(OAuthServer(issuer, client, store))


def _with_password(issuer: str, store: Store, options: _Options) -> Session:
    name, password = _credentials(options["username"], options["password_stdin"])
    device_name = options["device_name"] or _host_name()
    return Session.login(issuer, name, password, device_name=device_name, store=store)


def _profile(url: str, name: str | None) -> Profile:
    """The profile to sign in to. A name means one server at a time."""
    meant = Profile(issuer_url(url), profile_name(name) if name is not None else None)
    for kept, sign_in in named(meant.name) if meant.name else ():
        if kept == meant:
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
