"""`mapae key`: the operator sees the ring, rotates it, revokes a key, and changes the secret key."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.processes import environment

MAPAE = Path(sys.executable).with_name("mapae")
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA"


@pytest.fixture
def environ(database_url: str) -> dict[str, str]:
    return environment(
        MAPAE_ISSUER="https://auth.example.com", MAPAE_DATABASE_URL=database_url, MAPAE_SECRET_KEY=SECRET_KEY
    )


def mapae(environ: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([MAPAE, *arguments], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def listed(environ: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    code, out, err = mapae(environ, "key", "list", "--json", *arguments)
    assert code == 0, err
    rows: list[dict[str, Any]] = json.loads(out)
    return rows


def test_the_life_of_a_ring(environ: dict[str, str]) -> None:
    assert listed(environ) == []
    code, out, _ = mapae(environ, "key", "rotate")
    assert (code, out.count("signs now")) == (0, 2)
    first = {row["algorithm"]: row for row in listed(environ)}
    assert {name: row["state"] for name, row in first.items()} == {"ES256": "active", "refresh": "active"}

    code, out, _ = mapae(environ, "key", "rotate", "--algorithm", "ES256")
    assert (code, "signs in 6 min" in out or "signs in 7 min" in out) == (0, True)
    assert "nothing to do" in mapae(environ, "key", "rotate", "--algorithm", "ES256")[1]
    (upcoming,) = (row for row in listed(environ) if row["state"] == "upcoming")
    code, out, _ = mapae(environ, "key", "rotate", "--now", "--algorithm", "ES256")
    assert (code, upcoming["kid"] in out) == (0, True)

    stolen = first["ES256"]["kid"]
    code, out, _ = mapae(environ, "key", "revoke", stolen)
    assert (code, out.splitlines()[0]) == (0, f"ES256 key {stolen} is revoked")
    assert stolen not in [row["kid"] for row in listed(environ)]
    assert stolen in [row["kid"] for row in listed(environ, "--all") if row["state"] == "revoked"]
    code, _, err = mapae(environ, "key", "revoke", stolen)
    assert (code, "over already" in err) == (1, True)
    for nonsense in ("nonsense", "-Abc-def", "--bc_def"):
        code, _, err = mapae(environ, "key", "revoke", nonsense)
        assert (code, "no key of that id" in err) == (1, True)

    rows = mapae(environ, "key", "list")[1].splitlines()
    assert sorted(row.split("\t")[1:3] for row in rows) == [["ES256", "active"], ["refresh", "active"]]


def test_the_secret_key_is_changed(environ: dict[str, str]) -> None:
    mapae(environ, "key", "rotate")
    wrong = environ | {"MAPAE_SECRET_KEY": OTHER_KEY}
    code, _, err = mapae(wrong, "key", "reseal")
    assert (code, err.count("\n")) == (1, 1)
    assert "MAPAE_SECRET_KEY does not open the signing keys" in err
    assert "MAPAE_SECRET_KEY_OLD" in err

    both = wrong | {"MAPAE_SECRET_KEY_OLD": SECRET_KEY}
    assert mapae(both, "key", "reseal")[1].startswith("2 keys sealed anew")
    assert mapae(wrong, "key", "reseal")[1].startswith("0 keys sealed anew")
    assert mapae(environ, "key", "reseal")[0] == 1


def test_no_former_secret_key_is_shown(environ: dict[str, str]) -> None:
    code, out, _ = mapae(environ | {"MAPAE_SECRET_KEY_OLD": f"{OTHER_KEY},{SECRET_KEY}"}, "config", "check")
    assert code == 0
    assert OTHER_KEY not in out
    assert "[hidden], [hidden]" in out
