"""`mapae config check`, run as the shell runs it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mapae.cli.main import main
from mapae.jose import base64url

KEY = base64url.encode(bytes(range(32)))
PASSWORD = "hunter2hunter2"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call `mapae` in an empty folder with these variables: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MAPAE_")]:
        monkeypatch.delenv(name)

    def call(*arguments: str, **variables: str) -> tuple[int, str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["mapae", *arguments])
        exit_code = main()
        written = capsys.readouterr()
        return exit_code, written.out, written.err

    return call


def test_every_value_is_shown_with_its_source_and_secrets_are_hidden(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "mapae.toml").write_text(
        'outbound_ca_file = "ca.pem"\ntrusted_proxies = ["10.0.0.0/8", "::1"]\nmetrics = true\n'
    )
    code, out, err = run(
        "config",
        "check",
        MAPAE_ISSUER="https://auth.example.com",
        MAPAE_SECRET_KEY=KEY,
        MAPAE_DATABASE_URL=f"postgresql://mapae:{PASSWORD}@db.example.com:5432/mapae?password={PASSWORD}",
    )
    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    shown = {variable: " ".join(rest.split()) for variable, rest in lines}
    assert shown["MAPAE_ISSUER"] == "https://auth.example.com MAPAE_ISSUER"
    assert shown["MAPAE_TRUSTED_PROXIES"] == "10.0.0.0/8, ::1/128 mapae.toml"
    assert shown["MAPAE_METRICS"] == "true mapae.toml"
    assert shown["MAPAE_OUTBOUND_CA_FILE"] == "ca.pem mapae.toml"
    assert shown["MAPAE_TLS_CERT"] == "- default"
    assert shown["MAPAE_SECRET_KEY"] == "[hidden] MAPAE_SECRET_KEY"
    assert shown["MAPAE_DATABASE_URL"].startswith(
        "postgresql://mapae:[hidden]@db.example.com:5432/mapae?[hidden]"
    )
    assert KEY not in out
    assert PASSWORD not in out


def test_json_has_the_values_in_their_types(run: Run) -> None:
    code, out, _ = run("config", "check", "--dev", "--json")
    rows = {row["variable"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["MAPAE_DEV"] == {"variable": "MAPAE_DEV", "value": True, "source": "--dev"}
    assert rows["MAPAE_ACCESS_TOKEN_LIFE"]["value"] == 300
    assert rows["MAPAE_TRUSTED_PROXIES"]["value"] == []
    assert rows["MAPAE_DATABASE_URL"]["value"] == "sqlite:///var/mapae.db"
    assert rows["MAPAE_SECRET_KEY"]["source"] == "var/secret_key"


def test_everything_that_is_wrong_is_listed_and_the_exit_code_is_2(run: Run) -> None:
    code, out, err = run("config", "check", MAPAE_SECRET_KEY=PASSWORD, MAPAE_ISUER="https://auth.example.com")
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == "MAPAE_ISUER is no setting: did you mean MAPAE_ISSUER?"
    assert [line.split()[0] for line in lines[1:3]] == ["MAPAE_ISSUER", "MAPAE_SECRET_KEY"]
    assert lines[3] == "mapae: the settings cannot be used: correct the lines above"
    assert PASSWORD not in err
