"""`mapae decode`: what is inside a token, what it costs, when it ends. Asks nobody."""

import json
import re
import sys
from collections.abc import Sequence
from typing import Final

import click

from mapae.cli.anatomy import Anatomy, Member, dissect
from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.options import json_option, profile_options
from mapae.cli.output import paint, print_table, printable
from mapae.cli.signed_in import kept_token
from mapae.clock import system_clock
from mapae.jose.errors import JoseError

#: Of a signed token, which is all that `dissect` takes.
READERS: Final = "everybody who holds it"

_HEADER: Final = re.compile(r"\s*(?:Authorization\s*:)?\s*(?:Bearer\s)?", re.IGNORECASE)


@click.command()
@click.argument("text", metavar="[TOKEN]", required=False)
@profile_options
@json_option
def command(text: str | None, issuer: str | None, profile: str | None, as_json: bool) -> None:
    """Show what is inside TOKEN: its claims in words, what each costs in bytes, when it ends.

    Without TOKEN it is read from standard input, or else is the one you are signed in with. Asks no server, and does
    not check the signature.

    \b
    Examples:
      mapae decode
      mapae decode eyJhbGciOiJFUzI1NiIs…
      pbpaste | mapae decode --json
    """
    token = _bare(_given(text) or kept_token(issuer, profile))
    if token.startswith("mpr_"):
        raise CommandFailed(
            "this is a refresh token: it says nothing to read, and whoever holds it can be you; keep it to yourself",
            ExitCode.USAGE,
        )
    try:
        anatomy = dissect(token, system_clock())
    except JoseError as error:
        raise CommandFailed(
            f"this is not a token that can be read: {error.detail}", ExitCode.USAGE
        ) from error
    if as_json:
        click.echo(json.dumps(_members(anatomy), indent=2))
    else:
        _print(anatomy)


def _given(text: str | None) -> str:
    if text is not None and text != "-":
        return text
    return sys.stdin.read(1 << 20) if text == "-" or not sys.stdin.isatty() else ""


def _bare(text: str) -> str:
    """The token alone: without the words of the header it was copied with, and the breaks of the lines it stood in."""
    return "".join(_HEADER.sub("", text, count=1).split())


def _print(anatomy: Anatomy) -> None:
    click.echo(paint(anatomy.ends, "red" if anatomy.ends.startswith("ended") else "green", bold=True))
    click.echo(
        f"{anatomy.size} bytes: header {anatomy.header_size}, claims {anatomy.claims_size}, "
        f"signature {anatomy.signature_size} ({paint('not checked', dim=True)})"
    )
    click.echo(f"readable by {READERS}")
    _print_part("HEADER", anatomy.header)
    _print_part("CLAIM", anatomy.claims)
    if anatomy.warnings:
        click.echo()
    for warning in anatomy.warnings:
        click.echo(f"{paint('warning:', 'yellow', bold=True)} {printable(warning)}")


def _print_part(title: str, members: Sequence[Member]) -> None:
    click.echo()
    rows = [(member.name, str(member.size), member.shown, member.meaning) for member in members]
    print_table((title, "BYTES", "VALUE", "MEANING"), rows, spare=1)


def _members(anatomy: Anatomy) -> dict[str, object]:
    return {
        "header": {member.name: member.value for member in anatomy.header},
        "claims": {member.name: member.value for member in anatomy.claims},
        "bytes": {
            "total": anatomy.size,
            "header": anatomy.header_size,
            "claims": anatomy.claims_size,
            "signature": anatomy.signature_size,
            "each_claim": {member.name: member.size for member in anatomy.claims},
        },
        "readable_by": READERS,
        "ends": anatomy.ends,
        "warnings": list(anatomy.warnings),
        "signature_checked": False,
    }
