"""The forms of an access token, each as the program that takes it reads it."""

import json
import netrc
from pathlib import Path

import pytest

from mapae.cli import token_formats
from mapae.cli.errors import CommandFailed
from mapae.cli.token_formats import FORMATS, Issued
from mapae.testing import Issuer
from tests.cli.command import Shell
from tests.client.wire import auth_server

END = 1_800_000_000


def issued(*audience: str, expires_at: int | None = END) -> Issued:
    claims = {"aud": list(audience)} if len(audience) > 1 else {}
    return Issued(Issuer(audience=audience[0]).token(subject="alice", claims=claims), expires_at)


def test_raw_and_header() -> None:
    assert token_formats.raw(Issued("a.b.c", None)) == "a.b.c"
    assert token_formats.header(Issued("a.b.c", None)) == "Authorization: Bearer a.b.c"


@pytest.mark.parametrize("end", [END, None])
def test_json(end: int | None) -> None:
    assert json.loads(token_formats.as_json(Issued("a.b.c", end))) == {
        "access_token": "a.b.c",
        "token_type": "Bearer",
        "expires_at": end,
    }


def test_an_exec_credential_says_when_kubernetes_has_to_ask_again() -> None:
    credential = json.loads(token_formats.exec_credential(Issued("a.b.c", END)))

    assert credential == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "a.b.c", "expirationTimestamp": "2027-01-15T08:00:00Z"},
    }
    assert "expirationTimestamp" not in token_formats.exec_credential(Issued("a.b.c", None))


def test_netrc_names_the_hosts_of_the_audience(tmp_path: Path) -> None:
    one = issued("https://api.example.com/v1", "https://files.example.com:8443")
    file = tmp_path / "netrc"
    file.write_text(token_formats.netrc(one))

    hosts = netrc.netrc(str(file)).hosts
    assert hosts == dict.fromkeys(("api.example.com", "files.example.com"), ("oauth2", "", one.token))


def test_netrc_falls_back_to_the_issuer() -> None:
    assert token_formats.netrc(issued("orders")).startswith("machine issuer.test ")


@pytest.mark.parametrize("token", ["opaque", "a.b.c", ""])
def test_netrc_of_a_token_that_names_no_host_is_refused(token: str) -> None:
    with pytest.raises(CommandFailed, match="no host"):
        token_formats.netrc(Issued(token, None))


def test_the_end_is_told_by_the_clock_of_this_machine(tmp_path: Path) -> None:
    shell, text = Shell(tmp_path / "home"), issued("https://api.example.com").token
    given = json.loads(shell.run("token", "--format", "json", MAPAE_TOKEN=text).out)
    opaque = json.loads(shell.run("token", "--format", "json", MAPAE_TOKEN="opaque").out)
    with auth_server() as server:
        shell.login(server.url)
        kept = json.loads(shell.run("token", "--format", "json").out)
    (file,) = shell.home.glob("*.json")
    tokens = json.loads(file.read_text())["tokens"]

    assert given["expires_at"] > 0
    assert opaque == {"access_token": "opaque", "token_type": "Bearer", "expires_at": None}
    assert kept["access_token"] == "access-0-1"
    assert kept["expires_at"] == int(tokens["expires_at"] - tokens["skew_s"])


def test_the_help_names_every_format(tmp_path: Path) -> None:
    shown = Shell(tmp_path).run("token", "--help").out

    assert all(form in shown for form in FORMATS)
