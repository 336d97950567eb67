"""`mapae decode`: what is inside a token, what it costs, when it ends. Asks nobody."""

import json
import sys
from collections.abc import Sequence

import click

from mapae.cli.anatomy import Anatomy, Member, dissect
from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.output import paint, print_table, printable
from mapae.cli.signed_in import kept_token
from mapae.clock import system_clock
from mapae.jose.errors import JoseError


@click.command()
@click.argument("text", metavar="[TOKEN]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(text: str | None, as_json: bool) -> None:
    """Show what is inside TOKEN: its claims in words, what each costs in bytes, when it ends.

    Without TOKEN it is read from standard input, or else is the one you are signed in with. Asks no server, and does
    not check the signature.
    """
    token = (_given(text) or kept_token()).strip().removeprefix("Bearer ")
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


def _print(anatomy: Anatomy) -> None:
    click.echo(
        f"{paint(anatomy.ends, 'red' if anatomy.ends.startswith('ended') else 'green', bold=True)}, "
        f"{anatomy.size} bytes: header {anatomy.header_size}, claims {anatomy.claims_size}, "
        f"signature {anatomy.signature_size}; {paint('signature not checked', dim=True)}"
    )
    _print_part("HEADER", anatomy.header)
    _print_part("CLAIM", anatomy.claims)
    for warning in anatomy.warnings:
        click.echo(f"{paint('warning:', 'yellow', bold=True)} {printable(warning)}")


def _print_part(title: str, members: Sequence[Member]) -> None:
    click.echo()
    rows = [(member.name, str(member.size), _shown(member.value), member.meaning) for member in members]
    print_table((title, "BYTES", "VALUE", ""), rows)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
        "ends": anatomy.ends,
        "warnings": list(anatomy.warnings),
        "signature_checked": False,
    }
