"""`mapae doctor`: run the checks that make sense here, and print what they found."""

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Final

import click

from mapae.cli.doctor.finding import Finding, Verdict, warn
from mapae.cli.doctor.issuer import issuer_findings
from mapae.cli.doctor.store import kept_sign_ins, store_findings
from mapae.cli.errors import CommandFailed
from mapae.cli.options import json_option
from mapae.cli.output import counted, on_terminal, paint, printable
from mapae.client.store import home
from mapae.clock import system_clock

#: Variables of the client: any other MAPAE_* means that this shell is an operator's.
_OF_THE_CLIENT: Final = frozenset({"MAPAE_HOME", "MAPAE_PROFILE", "MAPAE_TOKEN"})
_COLOURS: Final = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
_INDENT: Final = " " * len("fail  ")


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Check this device and the servers it is signed in to; one line a check, with what to do.

    Looked at are the stored sessions, the rights of their files, writing and locking; of each server whether it can
    be reached, its certificate, its clock, and whether its discovery document and keys can be used. Where there are
    settings of a server, also these, its certificate, the database with its schema, and the secret key.

    \b
    Examples:
      mapae doctor
      mapae doctor --json
      MAPAE_CONFIG=/etc/mapae.toml mapae doctor
    """
    findings = []
    for finding in _findings(system_clock()):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        members = [{"verdict": found.verdict, "about": found.about, "text": found.text} for found in findings]
        click.echo(json.dumps(members, indent=2))
    failed = [finding for finding in findings if finding.verdict is Verdict.FAIL]
    if failed:
        raise CommandFailed(
            f"{len(failed)} of {counted(len(findings), 'check')} failed; each says what to do",
            failed[0].exit_code,
        )


def _findings(now: float) -> Iterator[Finding]:
    directory = home()
    yield from store_findings(directory, now)
    if os.environ.get("MAPAE_TOKEN"):
        yield warn(
            "MAPAE_TOKEN", "is set, and used in place of every stored session; to go by those, unset it"
        )
    issuers = [sign_in.issuer for sign_in in kept_sign_ins(directory)]
    if _is_operator():
        issuers += yield from _server_findings(now)
    for issuer in dict.fromkeys(issuers):
        yield from issuer_findings(issuer, now)


def _server_findings(now: float) -> Generator[Finding, None, list[str]]:
    """What is found of the server that the settings describe; returns its issuer, if they say it."""
    try:
        from mapae.cli.doctor.server import load, server_findings
    except ModuleNotFoundError:
        yield warn(
            "settings", "are those of a server, which is not installed; run: pip install 'mapae[server]'"
        )
        return []
    settings, of_settings = load()
    yield from of_settings
    if settings is None:
        return []
    yield from server_findings(settings, now)
    return [settings.issuer]


def _is_operator() -> bool:
    variables = {name for name in os.environ if name.startswith("MAPAE_")}
    return bool(variables - _OF_THE_CLIENT) or Path("mapae.toml").exists()


def _print(finding: Finding) -> None:
    mark = paint(finding.verdict.ljust(len(_INDENT)), _COLOURS[finding.verdict], bold=True)
    line = printable(f"{finding.about}: {finding.text}")
    if on_terminal():
        width = get_terminal_size().columns - len(_INDENT)
        line = fill(line, width, break_long_words=False, break_on_hyphens=False).replace("\n", f"\n{_INDENT}")
    click.echo(f"{mark}{line}")
