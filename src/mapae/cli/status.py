"""`mapae status`: who is signed in where, and for how long."""

import json
from typing import Any

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.moments import local, seen_from, span
from mapae.cli.output import print_table
from mapae.cli.signed_in import failures_told
from mapae.client.records import SignIn
from mapae.client.steps import remaining_s
from mapae.client.store import current_issuer, sign_ins
from mapae.clock import system_clock


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show who is signed in where, and for how long. Asks no server."""
    now = system_clock()
    with failures_told():
        kept, current = sign_ins(), current_issuer()
    if as_json:
        click.echo(json.dumps([_members(sign_in, current, now) for sign_in in kept], indent=2))
    elif not kept:
        raise CommandFailed("nobody is signed in; run: mapae login URL", ExitCode.SIGN_IN_NEEDED)
    else:
        rows = [_row(sign_in, current, now) for sign_in in kept]
        print_table(("", "SERVER", "USER", "ACCESS TOKEN", "SESSION"), rows)


def _row(sign_in: SignIn, current: str | None, now: float) -> tuple[str, ...]:
    mark = "*" if sign_in.issuer == current else ""
    if sign_in.tokens is None:
        ended = (sign_in.ended or "").replace("_", " ")
        return mark, sign_in.issuer, sign_in.username, "none", f"ended: {ended}"
    left = remaining_s(sign_in.tokens, now)
    end = sign_in.tokens.refresh_expires_at
    return (
        mark,
        sign_in.issuer,
        sign_in.username,
        f"{span(left)} left" if left > 0 else "over, renewed at next use",
        f"ends {seen_from(now, end)}, {local(end)}",
    )


def _members(sign_in: SignIn, current: str | None, now: float) -> dict[str, Any]:
    tokens = sign_in.tokens
    return {
        "issuer": sign_in.issuer,
        "username": sign_in.username,
        "current": sign_in.issuer == current,
        "ended": sign_in.ended,
        "session_id": tokens and tokens.session_id,
        "scope": tokens and tokens.scope,
        "access_token_remaining": int(remaining_s(tokens, now)) if tokens else 0,
        "session_ends_at": tokens and int(tokens.refresh_expires_at),
    }
