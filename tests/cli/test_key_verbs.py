"""`mapae key`: the operator sees the ring, rotates it, revokes a key, and changes the secret key."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.cli.operating import Operator, operator_of
from tests.server.http.conftest import SECRET_KEY

OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA"


@pytest.fixture
def operator(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    return operator_of(database_url, monkeypatch, capsys)


def with_key(operator: Operator, **variables: str) -> Operator:
    return replace(operator, environ=operator.environ | variables)


def listed(operator: Operator, *arguments: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(operator.run("key", "list", "--json", *arguments).out)
    return rows


def test_the_life_of_a_ring(operator: Operator) -> None:
    assert listed(operator) == []
    assert operator.run("key", "rotate").out.count("signs now") == 2
    first = {row["algorithm"]: row for row in listed(operator)}
    assert {name: row["state"] for name, row in first.items()} == {"ES256": "active", "refresh": "active"}

    rotated = operator.run("key", "rotate", "--algorithm", "ES256").out
    assert "signs in 6 min" in rotated or "signs in 7 min" in rotated
    assert "nothing to do" in operator.run("key", "rotate", "--algorithm", "ES256").out
    (upcoming,) = (row for row in listed(operator) if row["state"] == "upcoming")
    assert upcoming["kid"] in operator.run("key", "rotate", "--now", "--algorithm", "ES256").out

    stolen = first["ES256"]["kid"]
    assert operator.run("key", "revoke", stolen).out.splitlines()[0] == f"ES256 key {stolen} is revoked"
    assert stolen not in [row["kid"] for row in listed(operator)]
    assert stolen in [row["kid"] for row in listed(operator, "--all") if row["state"] == "revoked"]
    assert "over already" in operator.run("key", "revoke", stolen, code=1).err
    for nonsense in ("nonsense", "-Abc-def", "-hbc-def", "--bc_def"):
        assert "no key of that id" in operator.run("key", "revoke", nonsense, code=1).err

    rows = operator.run("key", "list").out.splitlines()
    assert sorted(row.split("\t")[1:3] for row in rows) == [["ES256", "active"], ["refresh", "active"]]


def test_the_secret_key_is_changed(operator: Operator) -> None:
    operator.run("key", "rotate")
    wrong = with_key(operator, MAPAE_SECRET_KEY=OTHER_KEY)
    refused = wrong.run("key", "reseal", code=1).err
    assert "MAPAE_SECRET_KEY does not open the signing keys" in refused
    assert "MAPAE_SECRET_KEY_OLD" in refused

    both = with_key(wrong, MAPAE_SECRET_KEY_OLD=SECRET_KEY)
    assert both.run("key", "reseal").out.startswith("2 keys sealed anew")
    assert wrong.run("key", "reseal").out.startswith("0 keys sealed anew")
    operator.run("key", "reseal", code=1)


def test_no_former_secret_key_is_shown(operator: Operator) -> None:
    both = with_key(operator, MAPAE_SECRET_KEY_OLD=f"{OTHER_KEY},{SECRET_KEY}")
    shown = both.run("config", "check").out
    assert OTHER_KEY not in shown
    assert "[hidden], [hidden]" in shown
