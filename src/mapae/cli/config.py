"""`mapae config`: what the settings are, where each comes from, and everything that is wrong with them."""

import json
import os
from typing import Any
from urllib.parse import urlsplit

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.options import json_option
from mapae.cli.output import print_table
from mapae.secret import Secret
from mapae.server.settings import Settings, SettingsError, describe, load_with_sources

_HIDDEN = "[hidden]"


@click.group()
def command() -> None:
    """Check the settings.

    \b
    Examples:
      mapae config check
      MAPAE_ISSUER=https://auth.example.com mapae config check --json
    """


@command.command()
@click.option("--dev", is_flag=True, help="As `mapae serve --dev` sees them.")
@json_option
def check(dev: bool, as_json: bool) -> None:
    """Print every setting with its value and source, secrets hidden; or everything that is wrong."""
    try:
        settings, sources = load_with_sources(os.environ, dev=dev)
    except SettingsError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise CommandFailed("the settings cannot be used: correct the lines above", ExitCode.USAGE) from error
    rows = [
        {"variable": row.variable, "value": _shown(settings, row.name), "source": sources[row.name]}
        for row in describe()
    ]
    if as_json:
        click.echo(json.dumps(rows))
    else:
        cells = [(row["variable"], _cell(row["value"]), row["source"]) for row in rows]
        print_table(("VARIABLE", "VALUE", "SOURCE"), cells)


def _shown(settings: Settings, name: str) -> Any:
    match getattr(settings, name):
        case Secret() as secret:
            return _without_password(secret.reveal()) if name == "database_url" else _HIDDEN
        case tuple() as items:
            return [_HIDDEN if isinstance(item, Secret) else str(item) for item in items]
        case None | int() | str() as plain:
            return plain
        case other:
            return str(other)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if ":" in user:
        user = f"{user.partition(':')[0]}:{_HIDDEN}"
    # A driver's options may hold a password as well.
    return f"{parts.scheme}://{user}{at}{host}{parts.path}" + (f"?{_HIDDEN}" if parts.query else "")


def _cell(value: Any) -> str:
    match value:
        case None | []:
            return "-"
        case list():
            return ", ".join(value)
        case bool():
            return str(value).lower()
        case _:
            return str(value)
