"""`mapae apply`: bring users, resource servers and clients to what a file says."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.operator import operator_settings, with_database
from mapae.cli.output import paint
from mapae.entropy import system_entropy
from mapae.server.actions.apply_setup import ApplySetup, Sign, Step
from mapae.server.app import hasher_of
from mapae.server.domain.setup import Setup, SetupMistake, parse_setup
from mapae.server.settings import Settings
from mapae.server.store.clients import ClientIdTaken
from mapae.server.store.engine import Database
from mapae.server.store.users import UsernameTaken

_COLOURS = {Sign.ADD: "green", Sign.CHANGE: "yellow", Sign.KEEP: None}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print the plan and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(file: Path, dry_run: bool, as_json: bool) -> None:
    """Bring users, resource servers and clients to what FILE says, in one transaction.

    What the file does not name is left alone; applying it twice changes nothing.

    \b
    Examples:
      mapae apply setup.toml --dry-run
      mapae apply setup.toml
    """
    setup, settings = read_setup(file), operator_settings()
    try:
        plan = with_database(settings, lambda database: apply(database, settings, setup, dry_run=dry_run))
    except SetupMistake as mistake:
        raise _wrong(file, mistake) from mistake
    except (UsernameTaken, ClientIdTaken) as error:
        raise CommandFailed(
            "somebody else changed the same at the same time; nothing was applied, try again",
            ExitCode.REFUSED,
        ) from error
    click.echo(_as_json(plan) if as_json else _as_lines(plan, dry_run=dry_run))


async def apply(database: Database, settings: Settings, setup: Setup, *, dry_run: bool) -> Sequence[Step]:
    """Plan, and unless `dry_run` apply: the plan."""
    hasher = hasher_of(settings)
    try:
        action = ApplySetup(database, hasher, system_entropy)
        plan = await action.plan(setup)
        if not dry_run:
            await action.apply(plan)
    finally:
        hasher.close()
    return plan


def read_setup(file: Path) -> Setup:
    """The set-up in `file`.

    Raises:
        CommandFailed: naming the file, the table and the key.
    """
    try:
        return parse_setup(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}; nothing was applied", ExitCode.USAGE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file}: not TOML: {error}; nothing was applied", ExitCode.USAGE) from error
    except SetupMistake as mistake:
        raise _wrong(file, mistake) from mistake


def _wrong(file: Path, mistake: SetupMistake) -> CommandFailed:
    return CommandFailed(f"{file}: {'; '.join(mistake.lines)}; nothing was applied", ExitCode.USAGE)


def _as_lines(plan: Sequence[Step], *, dry_run: bool) -> str:
    lines = [
        paint(f"{step.sign} {step.kind} {step.name}", _COLOURS[step.sign])
        + (f": {', '.join(step.what)}" if step.what else "")
        for step in plan
    ]
    changes = sum(step.sign is not Sign.KEEP for step in plan)
    lines.append(f"{changes} to change, nothing applied" if dry_run else f"{changes} changed")
    return "\n".join(lines)


def _as_json(plan: Sequence[Step]) -> str:
    return json.dumps(
        [{"sign": step.sign, "kind": step.kind, "name": step.name, "what": step.what} for step in plan],
        ensure_ascii=False,
    )
