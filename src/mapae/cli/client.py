"""`mapae client`: list, show and remove clients. They are made and changed by `mapae apply`."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.moments import local
from mapae.cli.operator import operator_settings, with_database
from mapae.cli.options import json_option
from mapae.cli.output import print_table
from mapae.server.actions.administer_clients import AdministerClients, NoSuchClient
from mapae.server.domain.clients import Client

Result = TypeVar("Result")


@click.group()
def command() -> None:
    """List, show and remove clients. `mapae apply` makes and changes them.

    \b
    Examples:
      mapae client list
      mapae client show web --json
      mapae client remove web
    """


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all clients."""
    clients = _administer(lambda clients: clients.all())
    if as_json:
        click.echo(json.dumps([_members(client) for client in clients], ensure_ascii=False))
        return
    print_table(
        ("CLIENT", "NAME", "TYPE", "AUTHENTICATION", "GRANTS", "CREATED"),
        [
            (
                client.client_id,
                client.name,
                client.metadata.application_type,
                client.metadata.token_endpoint_auth_method,
                ", ".join(client.metadata.grant_types),
                local(client.created_at),
            )
            for client in clients
        ],
    )


@command.command()
@click.argument("client_id")
@json_option
def show(client_id: str, as_json: bool) -> None:
    """Show what is registered of a client, but for what is as the standard has it. Secrets are not kept."""
    members = _members(_administer(lambda clients: clients.find(client_id)))
    if as_json:
        click.echo(json.dumps(members, ensure_ascii=False))
        return
    print_table(("MEMBER", "VALUE"), [(name, _told(value)) for name, value in members.items()])


@command.command()
@click.argument("client_id")
def remove(client_id: str) -> None:
    """Remove a client. Its refresh tokens end, and what users have agreed to is forgotten."""
    ended = _administer(lambda clients: clients.remove(client_id))
    click.echo(f"removed {client_id}; {ended} of its refresh tokens ended")


def _administer(work: Callable[[AdministerClients], Awaitable[Result]]) -> Result:
    try:
        return with_database(operator_settings(), lambda database: work(AdministerClients(database)))
    except NoSuchClient as error:
        raise CommandFailed(
            "there is no client of that id; see: mapae client list", ExitCode.REFUSED
        ) from error


def _members(client: Client) -> Mapping[str, Any]:
    return {"client_id": client.client_id, "created_at": client.created_at, **client.metadata.to_dict()}


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
