"""Sign-ins as rows of a listing."""

import json
from typing import Any

import click

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.moments import span
from mapae.cli.output import print_table
from mapae.cli.profiles import Profile, current_label, sign_ins
from mapae.cli.signed_in import failures_told
from mapae.client.records import SignIn
from mapae.client.steps import remaining_s
from mapae.clock import system_clock


def print_sign_ins(*, as_json: bool) -> None:
    """Print every sign-in of this device, the current one marked. Asks no server.

    Raises:
        CommandFailed: there is none, and a person asked.
    """
    now = system_clock()
    with failures_told():
        kept, current = sign_ins(), current_label()
    if as_json:
        click.echo(json.dumps([_members(*pair, current, now) for pair in kept], indent=2))
    elif not kept:
        raise CommandFailed("nobody is signed in; run: mapae login URL", ExitCode.SIGN_IN_NEEDED)
    else:
        rows = [_row(*pair, current, now) for pair in kept]
        print_table(("", "PROFILE", "SERVER", "USER", "TOKEN", "SESSION"), rows)


def _row(profile: Profile, sign_in: SignIn, current: str | None, now: float) -> tuple[str, ...]:
    mark = "*" if profile.label == current else ""
    who = mark, profile.name or "-", sign_in.issuer, sign_in.username
    if sign_in.tokens is None:
        return *who, "none", f"ended: {(sign_in.ended or '').replace('_', ' ')}"
    left, session_end = remaining_s(sign_in.tokens, now), sign_in.tokens.refresh_expires_at
    return (
        *who,
        f"{span(left)} left" if left > 0 else "renewed at next use",
        "open" if session_end is None else f"{span(max(session_end - now, 0))} left",
    )


def _members(profile: Profile, sign_in: SignIn, current: str | None, now: float) -> dict[str, Any]:
    tokens = sign_in.tokens
    session_end = tokens and tokens.refresh_expires_at
    return {
        "profile": profile.name,
        "issuer": sign_in.issuer,
        "username": sign_in.username,
        "current": profile.label == current,
        "ended": sign_in.ended,
        "session_id": tokens and tokens.session_id,
        "scope": tokens and tokens.scope,
        "access_token_remaining": int(remaining_s(tokens, now)) if tokens else 0,
        "session_ends_at": session_end and int(session_end),
    }
