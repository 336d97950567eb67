"""`mapae session`: list sessions, live or over, and end one."""

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.operator import operator_settings, with_database
from mapae.cli.options import HYPHENS_ALLOWED, json_option
from mapae.cli.session_rows import print_sessions
from mapae.server.actions.administer_sessions import AdministerSessions, NoSuchSession
from mapae.server.domain.passwords import CredentialRefused, parse_username


@click.group()
def command() -> None:
    """List sessions, live or over, and end one.

    \b
    Examples:
      mapae session list
      mapae session list --user alice --ended
      mapae session end 7EEoW9ff92HO
    """


@command.command("list")
@click.option("--user", "username", help="Only the sessions of this user.")
@click.option("--ended", is_flag=True, help="Those that are over, the last one first, and why they ended.")
@click.option("--most", default=100, show_default=True, type=click.IntRange(1, 10000), help="Rows at most.")
@json_option
def list_(username: str | None, ended: bool, most: int, as_json: bool) -> None:
    """List sessions, the newest first."""
    settings = operator_settings()
    username_key = _key(username) if username is not None else None
    listed = with_database(
        settings,
        lambda database: AdministerSessions(database, settings.session_idle).list(
            username_key=username_key, ended=ended, most=most
        ),
    )
    print_sessions(listed, as_json=as_json)


@command.command(context_settings=HYPHENS_ALLOWED)
@click.argument("session_id")
def end(session_id: str) -> None:
    """End a session; its client is told that the operator did."""
    settings = operator_settings()
    try:
        with_database(
            settings, lambda database: AdministerSessions(database, settings.session_idle).end(session_id)
        )
    except NoSuchSession as error:
        raise CommandFailed(
            f"there is no live session {session_id}; see: mapae session list", ExitCode.REFUSED
        ) from error
    click.echo(f"ended {session_id}")


def _key(username: str) -> str:
    try:
        return parse_username(username).key
    except CredentialRefused as error:
        raise CommandFailed(
            f"the user name is {error.code.replace('_', ' ')}; see: mapae user list", ExitCode.USAGE
        ) from None
