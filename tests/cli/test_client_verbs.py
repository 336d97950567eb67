"""`mapae client`: the operator sees what is registered, never a secret, and removes a client with all it has."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mapae.server.domain.families import Family
from mapae.server.domain.sessions import EndReason
from mapae.server.store.engine import Database, open_database
from mapae.server.store.unit import Unit
from tests.cli.operating import Operator, operator_of
from tests.server.store.test_store import ALICE, FAMILY, SESSION

SECRET = "a secret of two servers"
SETUP = f"""
[[clients]]
client_id = "web"
client_secret = "{SECRET}"
client_name = "Example shop"
redirect_uris = ["https://app.example.com/callback", "https://app.example.com/other"]
grant_types = ["authorization_code", "refresh_token"]

[[clients]]
client_id = "desktop"
redirect_uris = ["http://127.0.0.1/callback"]
token_endpoint_auth_method = "none"
default_max_age = 60
"""
OURS = FAMILY._replace(id="family-of-us", client_id="mapae")
THEIRS = FAMILY._replace(id="family-of-web", client_id="web", first_party=False)


@pytest.fixture
def operator(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """An operator who has applied the set-up above."""
    made = operator_of(database_url, monkeypatch, capsys)
    (tmp_path / "setup.toml").write_text(SETUP)
    made.run("apply", str(tmp_path / "setup.toml"))
    return made


def within(database_url: str, work: Callable[[Unit], Awaitable[Any]]) -> Any:
    """What `work` comes to in one transaction."""

    async def run() -> Any:
        database: Database = open_database(database_url)
        async with database.unit() as unit:
            result = await work(unit)
            await unit.commit()
        await database.close()
        return result

    return asyncio.run(run())


def test_clients_are_listed(operator: Operator) -> None:
    rows = [line.split("\t")[:5] for line in operator.run("client", "list").out.splitlines()]
    assert rows == [
        ["desktop", "desktop", "native", "none", "authorization_code"],
        ["web", "Example shop", "web", "client_secret_basic", "authorization_code, refresh_token"],
    ]
    listed = json.loads(operator.run("client", "list", "--json").out)
    assert [client["client_id"] for client in listed] == ["desktop", "web"]


def test_one_is_shown_without_its_secret(operator: Operator) -> None:
    said = operator.run("client", "show", "web").out + operator.run("client", "show", "web", "--json").out
    assert "redirect_uris\thttps://app.example.com/callback, https://app.example.com/other\n" in said
    assert SECRET not in said
    assert "argon2" not in said
    shown = json.loads(operator.run("client", "show", "desktop", "--json").out)
    assert shown.pop("created_at") > 0
    assert shown == {
        "client_id": "desktop",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "default_max_age": 60,
    }
    assert "default_max_age\t60\n" in operator.run("client", "show", "desktop").out


def test_a_client_that_is_removed_takes_its_refresh_tokens_with_it(
    operator: Operator, database_url: str
) -> None:
    async def sign_in(unit: Unit) -> None:
        await unit.users.add(ALICE)
        await unit.sessions.add(SESSION)
        for family in (OURS, THEIRS):
            await unit.families.add(family)

    async def endings(unit: Unit) -> dict[str, EndReason | None]:
        read = await unit.families.for_update([OURS.id, THEIRS.id])
        families: list[Family] = [one.family for one in read.values()]
        return {family.client_id: family.ending.reason if family.ending else None for family in families}

    within(database_url, sign_in)
    said = operator.run("client", "remove", "web")
    assert said.out == "removed web; 1 of its refresh tokens ended\n"
    assert within(database_url, endings) == {"mapae": None, "web": EndReason.CLIENT_REMOVED}
    assert [one["client_id"] for one in json.loads(operator.run("client", "list", "--json").out)] == [
        "desktop"
    ]


@pytest.mark.parametrize("verb", ["show", "remove"])
@pytest.mark.parametrize("client_id", ["nobody", "mapae", "WEB"])
def test_a_client_that_is_not_there_is_said(operator: Operator, verb: str, client_id: str) -> None:
    assert "no client of that id" in operator.run("client", verb, client_id, code=1).err
