"""`mapae migrate`: bring the database to this version's schema."""

import click

from mapae.cli.operator import failures_told, operator_settings


@click.command()
def command() -> None:
    """Bring the database to the newest schema. Doing it twice changes nothing.

    \b
    Examples:
      MAPAE_DATABASE_URL=postgresql://mapae@localhost/mapae mapae migrate
    """
    from mapae.server.store.migrations import head, migrate

    settings = operator_settings()
    with failures_told():
        migrate(settings.database_url.reveal())
    click.echo(f"the schema is at {head()}")
