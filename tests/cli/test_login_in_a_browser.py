"""`mapae login` at a standard OAuth server: in the browser of this machine, or with a code in any other."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import MAIN, Shell
from tests.client.oauth_wire import OAuthWire, oauth_server

WAITING = "Waiting for "


@pytest.fixture
def server() -> Iterator[OAuthWire]:
    """Where anybody who comes is signed in as alice."""
    with oauth_server(id_token={"aud": "mapae"}) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user whose browser is a program that goes where it is sent."""
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!{sys.executable}\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n"
    )
    browser.chmod(0o755)
    return Shell(tmp_path / "home", {"BROWSER": f"{browser} %s"})


def test_a_browser_signs_in(shell: Shell, server: OAuthWire) -> None:
    server.id_token["aud"] = "tools"
    ran = shell.run("login", server.url, "--client-id", "tools", "--scope", "openid orders:read")

    assert (ran.code, ran.out) == (0, f"Signed in to {server.url} as alice.\n")
    assert "If none does, open this address:" in ran.err
    assert WAITING not in ran.err
    assert server.authorized["client_id"] == "tools"
    assert server.authorized["scope"] == "openid orders:read"
    assert shell.run("token").out == "access-0-1\n"
    assert json.loads(shell.run("status", "--json").out)[0]["username"] == "alice"


def test_the_command_is_a_client_of_its_own_and_names_the_api(shell: Shell, server: OAuthWire) -> None:
    ran = shell.run(
        "login", server.url, "--browser", "--resource", "https://api.example.com", "--profile", "a"
    )

    assert ran.code == 0
    assert server.authorized["client_id"] == "mapae"
    assert server.authorized["resource"] == "https://api.example.com"
    assert shell.run("token", "--profile", "a").out == "access-0-1\n"


def test_where_no_browser_opens_the_address_is_shown(shell: Shell, server: OAuthWire) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "login", server.url, "--browser"],
        env={**shell.environment, "PATH": "", "BROWSER": ""},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Open this address in a browser")
        server.browse(process.stderr.readline().strip())
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_device_is_told_what_to_do(shell: Shell, server: OAuthWire) -> None:
    server.polls += ["authorization_pending"] * 2
    ran = shell.run("login", server.url, "--device")

    assert ran.code == 0
    assert ran.err == (
        f"On any device, open {server.url}/activate and enter WDJB-MJHT within 60 s.\n"
        f"Or open {server.url}/activate?code=WDJB-MJHT\n"
    )
    assert shell.run("token").out == "access-0-3\n"


def test_a_person_sees_that_something_is_waited_for(shell: Shell, server: OAuthWire) -> None:
    server.polls += ["authorization_pending"]
    ran = shell.terminal("login", server.url, "--device")

    _, waiting, done = ran.out.partition(f"{WAITING}the code to be entered …")
    assert ran.code == 0
    assert waiting
    assert done.startswith("\r\x1b[KSigned in to ")


@pytest.mark.parametrize(("error", "words"), [("access_denied", "denied"), ("expired_token", "expired")])
def test_a_refusal_is_exit_code_1(shell: Shell, server: OAuthWire, error: str, words: str) -> None:
    server.polls += [error]
    ran = shell.run("login", server.url, "--device")

    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err.splitlines()[-1]
    assert shell.run("status").code == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--browser", "--device"],
        ["--device", "--username", "alice"],
        ["--client-id", "tools", "--password-stdin"],
    ],
)
def test_ways_to_sign_in_exclude_one_another(shell: Shell, server: OAuthWire, options: list[str]) -> None:
    ran = shell.run("login", server.url, *options)

    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert server.seen == []
