"""Sessions as rows of a listing."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from mapae.cli.moments import local
from mapae.cli.output import print_table
from mapae.server.domain.sessions import rounded_to_the_hour
from mapae.server.store.sessions import ListedSession


def print_sessions(listed: Sequence[ListedSession], *, as_json: bool) -> None:
    """Print sessions, as JSON or as a table; how those that are over ended stands with them."""
    if as_json:
        click.echo(json.dumps([_members(one) for one in listed], ensure_ascii=False))
        return
    print_table(
        ("ID", "USER", "DEVICE", "CLIENT", "CREATED", "LAST USED", "ADDRESS", "ENDED"),
        [
            (
                one.session.id,
                one.username,
                one.session.device_name or "-",
                one.session.client_id,
                local(one.session.created_at),
                local(rounded_to_the_hour(one.used_at)),
                one.session.address or "-",
                f"{one.ending.reason} {local(one.ending.at)}" if one.ending else "-",
            )
            for one in listed
        ],
    )


def _members(one: ListedSession) -> dict[str, Any]:
    members = asdict(one.session)
    del members["ending"]
    return members | {
        "username": one.username,
        "last_used_at": rounded_to_the_hour(one.used_at),
        "ended_at": one.ending.at if one.ending else None,
        "reason": one.ending.reason.value if one.ending else None,
    }
