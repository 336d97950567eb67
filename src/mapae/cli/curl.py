"""`mapae curl`: the system's curl with the access token, which no argument list and no other host ever sees."""

import os
import re
from shutil import which
from typing import Final
from urllib.parse import urlsplit

import click

from mapae.cli.claims import origins_of
from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.exec import run
from mapae.cli.options import profile_options
from mapae.cli.signed_in import access_token, failures_told
from mapae.client.origin import protected_origin

#: RFC 6750 section 2.1, in particular nothing that would end the line or the quotes of curl's configuration.
_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,32768}=*")


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@profile_options
@click.option(
    "--send-to",
    multiple=True,
    metavar="ORIGIN",
    help="Send the token to this origin too; name it before URL.",
)
@click.argument("url")
@click.argument("arguments", metavar="[CURL ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
def command(
    issuer: str | None, profile: str | None, send_to: tuple[str, ...], url: str, arguments: tuple[str, ...]
) -> None:
    """Run curl on URL with the access token.

    The token goes to the origins it is meant for: its audience, its issuer, and those named with --send-to. All
    connections of the run are tied to the host of URL, so neither a redirect nor a second URL among the arguments
    can carry it elsewhere.

    \b
    Examples:
      mapae curl https://api.example.com/orders
      mapae curl https://api.example.com/orders -X POST --json '{"item": 7}'
    """
    curl = which("curl")
    if curl is None:
        raise CommandFailed("curl is not installed; install it with your package manager", ExitCode.USAGE)
    token = access_token(issuer, profile)
    if not _BEARER.fullmatch(token):
        raise CommandFailed("this is no token that a header can carry; check MAPAE_TOKEN", ExitCode.USAGE)
    with failures_told():
        allowed = {protected_origin(origin) for origin in send_to} | origins_of(token)
        origin = protected_origin(url)
    if origin not in allowed:
        raise CommandFailed(
            f"the token is not meant for {origin}; if you trust it, run: mapae curl --send-to {origin} {url}",
            ExitCode.USAGE,
        )
    settings = _config_file(
        f'header = "Authorization: Bearer {token}"\nconnect-to = "::{_host_and_port(origin)}"\n'
    )
    run((curl, "--config", settings, url, *arguments), {**os.environ})


def _host_and_port(origin: str) -> str:
    return urlsplit(origin).netloc


def _config_file(text: str) -> str:
    """A file that exists only as an open pipe: curl reads it, and standard input stays free for `--data @-`."""
    read_end, write_end = os.pipe()
    os.write(write_end, text.encode())
    os.close(write_end)
    os.set_inheritable(read_end, True)
    return f"/dev/fd/{read_end}"
