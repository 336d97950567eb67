"""`mapae serve`: run the server."""

import asyncio
import os

import click

from mapae.cli.operator import failures_told, operator_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 for any.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes.")
@click.option("--dev", is_flag=True, help="Defaults for one machine: needs no settings, migrates by itself.")
def command(host: str, port: int, workers: int, dev: bool) -> None:
    """Run the server.

    \b
    Examples:
      mapae serve --dev
      MAPAE_ISSUER=https://auth.example.com mapae serve --host 0.0.0.0 --workers 4
    """
    from mapae.server.run import run
    from mapae.server.startup import bind, check

    if dev:
        os.environ["MAPAE_DEV"] = "true"  # where the workers read it
    settings = operator_settings()
    with failures_told():
        listener = bind(host, port)
        asyncio.run(check(settings))
    where = f"[{host}]" if ":" in host else host
    click.echo(f"{settings.issuer} listening on {where}:{listener.getsockname()[1]}", err=True)
    run(settings, listener, workers=workers)
