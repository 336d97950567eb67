"""`mapae user`: create, list, disable and enable users, give passwords, see sessions."""

import json
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.moments import local
from mapae.cli.operator import operator_settings, with_database
from mapae.cli.options import json_option
from mapae.cli.output import counted, print_table
from mapae.cli.session_rows import print_sessions
from mapae.entropy import system_entropy
from mapae.secret import Secret
from mapae.server.actions.administer_users import AdministerUsers, NoSuchUser
from mapae.server.app import hasher_of
from mapae.server.domain.passwords import (
    CredentialRefused,
    PreparedPassword,
    Username,
    parse_username,
    prepare_new_password,
)
from mapae.server.settings import Settings
from mapae.server.store.users import UsernameTaken

Result = TypeVar("Result")

_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, not from a prompt."
)


@click.group()
def command() -> None:
    """Create, list, disable and enable users.

    \b
    Examples:
      mapae user create alice --role member
      mapae user list --json
      mapae user disable alice
    """


@command.command()
@click.argument("username")
@click.option("--role", "roles", multiple=True, help="A role of the user; may be given several times.")
@click.option("--email", help="The user's e-mail address; it never goes into a token.")
@_password_stdin
def create(username: str, roles: tuple[str, ...], email: str | None, password_stdin: bool) -> None:
    """Create a user who may sign in."""
    name, password = _username(username), _new_password(password_stdin)
    user = _administer(lambda users: users.create(name, password, roles=roles, email=email))
    click.echo(f"created {user.username} ({user.id})")


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all users."""
    users = _administer(lambda users: users.all())
    rows = [
        {
            "id": user.id,
            "username": user.username,
            "roles": list(user.roles),
            "disabled": user.disabled_at is not None,
            "created_at": user.created_at,
        }
        for user in users
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    print_table(
        ("USERNAME", "ROLES", "STATUS", "CREATED", "ID"),
        [
            (
                user.username,
                ", ".join(user.roles) or "-",
                "disabled" if user.disabled_at is not None else "enabled",
                local(user.created_at),
                user.id,
            )
            for user in users
        ],
    )


@command.command()
@click.argument("username")
def disable(username: str) -> None:
    """Keep a user from signing in and end their sessions."""
    name = _username(username)
    ended = _administer(lambda users: users.disable(name))
    click.echo(f"disabled {name.display}; {counted(ended, 'session')} ended")


@command.command()
@click.argument("username")
def enable(username: str) -> None:
    """Let a disabled user sign in again."""
    name = _username(username)
    _administer(lambda users: users.enable(name))
    click.echo(f"enabled {name.display}")


@command.command()
@click.argument("username")
@_password_stdin
def password(username: str, password_stdin: bool) -> None:
    """Give a user another password and end their sessions."""
    name, new = _username(username), _new_password(password_stdin)
    ended = _administer(lambda users: users.set_password(name, new))
    click.echo(f"changed the password of {name.display}; {counted(ended, 'session')} ended")


@command.command()
@click.argument("username")
@json_option
def sessions(username: str, as_json: bool) -> None:
    """List the live sessions of a user."""
    name, idle_s = _username(username), operator_settings().session_idle
    print_sessions(_administer(lambda users: users.sessions(name, idle_s=idle_s)), as_json=as_json)


def _administer(work: Callable[[AdministerUsers], Awaitable[Result]]) -> Result:
    settings: Settings = operator_settings()
    hasher = hasher_of(settings)
    try:
        return with_database(
            settings, lambda database: work(AdministerUsers(database, hasher, system_entropy))
        )
    except NoSuchUser as error:
        raise CommandFailed(
            "there is no user of that name; see: mapae user list", ExitCode.REFUSED
        ) from error
    except UsernameTaken as error:
        raise CommandFailed(
            "there is a user of that name, or of one that looks the same; choose another", ExitCode.REFUSED
        ) from error
    finally:
        hasher.close()


def _username(text: str) -> Username:
    try:
        return parse_username(text)
    except CredentialRefused as error:
        raise CommandFailed(
            f"the user name is {error.code.replace('_', ' ')}; choose another", ExitCode.USAGE
        ) from None


def _new_password(from_stdin: bool) -> PreparedPassword:
    if from_stdin:
        text = sys.stdin.readline().removesuffix("\n")
    else:
        text = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    try:
        return prepare_new_password(Secret(text))
    except CredentialRefused as error:
        raise CommandFailed(
            f"the password is {error.code.replace('_', ' ')}; choose another", ExitCode.USAGE
        ) from None
