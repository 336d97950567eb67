"""`mapae key`: list, rotate and revoke the keys that sign, and seal them under another secret key."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.moments import seen_from
from mapae.cli.operator import operator_settings, with_database
from mapae.cli.options import HYPHENS_ALLOWED, json_option
from mapae.cli.output import counted, print_table
from mapae.server.actions.rotate_keys import NoSuchKey, RotateKeys
from mapae.server.app import rotation_of
from mapae.server.domain.keys import REFRESH_ALGORITHM, SIGNING_ALGORITHMS, Key

Result = TypeVar("Result")

#: What the line of the refresh tokens is called here.
_REFRESH = "refresh"
_LINES = {**{algorithm: algorithm for algorithm in SIGNING_ALGORITHMS}, _REFRESH: REFRESH_ALGORITHM}


@click.group()
def command() -> None:
    """List, rotate and revoke the keys that sign tokens.

    \b
    Examples:
      mapae key list
      mapae key rotate
      mapae key revoke 7veVq0aX
    """


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are gone or revoked.")
@json_option
def list_(everything: bool, as_json: bool) -> None:
    """List the keys and what each does now."""
    seen = _rotate(lambda rotation: rotation.read())
    keys = [key for key in seen.keys if everything or key.is_live(seen.now)]
    if as_json:
        click.echo(json.dumps([_row(key, seen.now) for key in keys]))
        return
    print_table(
        ("KEY", "ALGORITHM", "STATE", "SIGNS", "UNTIL", "GONE", "HELD BY"),
        [
            (
                key.kid,
                _line_of(key),
                key.state(seen.now).value,
                *(_moment(moment, seen.now) for moment in (key.signs_from, key.signs_until, key.gone_at)),
                key.holder,
            )
            for key in keys
        ],
    )


@command.command()
@click.option(
    "--now", "at_once", is_flag=True, help="Sign with it within seconds, not once all have fetched it."
)
@click.option(
    "--algorithm",
    "lines",
    multiple=True,
    type=click.Choice(list(_LINES)),
    help="Only these; by default every algorithm that is in use, and the key of refresh tokens.",
)
def rotate(at_once: bool, lines: tuple[str, ...]) -> None:
    """Let new keys sign, published before they do. No session ends and no token dies."""
    changed = _rotate(lambda rotation: _rotated(rotation, lines, at_once=at_once))
    now = time.time()
    new = [key for key in changed if key.signs_until is None]
    for key in new:
        when = "now" if key.signs_from <= now else seen_from(now, key.signs_from)
        click.echo(f"{_line_of(key)} key {key.kid} signs {when}")
    if not new:
        click.echo("nothing to do: the next keys are on their way; see: mapae key list")


@command.command(context_settings=HYPHENS_ALLOWED)
@click.argument("kid")
def revoke(kid: str) -> None:
    """Take a stolen key out of the key set at once; another one signs, and sessions live on.

    What the key has signed is refused by each API after its next look at the key set. A revoked key of refresh
    tokens ends the sessions that have not refreshed since it was replaced.
    """
    changed = _rotate(lambda rotation: rotation.revoke(kid))
    if not changed:
        raise CommandFailed(f"key {kid} is over already; see: mapae key list --all", ExitCode.REFUSED)
    for key in changed:
        state = "is revoked" if key.revoked_at is not None else "signs from now on"
        click.echo(f"{_line_of(key)} key {key.kid} {state}")


@command.command()
def reseal() -> None:
    """Seal the private keys under MAPAE_SECRET_KEY, after it was changed.

    They are opened with it or with one of MAPAE_SECRET_KEY_OLD.
    """
    resealed = _rotate(lambda rotation: rotation.reseal())
    click.echo(f"{counted(len(resealed), 'key')} sealed anew; no key needs MAPAE_SECRET_KEY_OLD any more")


async def _rotated(rotation: RotateKeys, lines: Sequence[str], *, at_once: bool) -> Sequence[Key]:
    wanted = [_LINES[line] for line in lines] or (await rotation.read()).lines
    return await rotation.rotate(wanted, at_once=at_once)


def _rotate(work: Callable[[RotateKeys], Awaitable[Result]]) -> Result:
    settings = operator_settings()
    try:
        return with_database(settings, lambda database: work(rotation_of(settings, database)))
    except NoSuchKey as error:
        raise CommandFailed(
            "there is no key of that id; see: mapae key list --all", ExitCode.REFUSED
        ) from error


def _row(key: Key, now: int) -> dict[str, str | int | None]:
    return {
        "kid": key.kid,
        "algorithm": _line_of(key),
        "state": key.state(now).value,
        "holder": key.holder,
        "created_at": key.created_at,
        "signs_from": key.signs_from,
        "signs_until": key.signs_until,
        "gone_at": key.gone_at,
        "revoked_at": key.revoked_at,
    }


def _line_of(key: Key) -> str:
    return _REFRESH if key.algorithm == REFRESH_ALGORITHM else key.algorithm


def _moment(moment: int | None, now: float) -> str:
    return "-" if moment is None else seen_from(now, moment)
