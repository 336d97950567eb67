"""`mapae login --keyring`: the tokens are where the system keeps secrets, and in no file."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Ran, Shell
from tests.client.wire import AuthServer, auth_server

#: A keyring that processes share, for want of a desktop.
BACK_END = """
import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend

FILE = Path(os.environ["KEYRING_FILE"])


class Keyring(KeyringBackend):
    priority = 1.0

    def get_password(self, service, username):
        return json.loads(FILE.read_text()).get(f"{service} {username}")

    def set_password(self, service, username, password):
        kept = json.loads(FILE.read_text())
        FILE.write_text(json.dumps({**kept, f"{service} {username}": password}))

    def delete_password(self, service, username):
        kept = json.loads(FILE.read_text())
        del kept[f"{service} {username}"]
        FILE.write_text(json.dumps(kept))
"""


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    """What the keyring holds, as JSON."""
    (tmp_path / "shared_keyring.py").write_text(BACK_END)
    file = tmp_path / "keyring.json"
    file.write_text("{}")
    return file


@pytest.fixture
def shell(tmp_path: Path, keyring: Path) -> Shell:
    """A user whose system has a keyring."""
    return Shell(
        tmp_path / "home",
        {
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHON_KEYRING_BACKEND": "shared_keyring.Keyring",
            "KEYRING_FILE": str(keyring),
        },
    )


@pytest.fixture
def server() -> Iterator[AuthServer]:
    """Where alice may sign in."""
    with auth_server() as server:
        yield server


def login(shell: Shell, url: str, *options: str) -> Ran:
    arguments = ("--username", "alice", "--password-stdin", *options)
    return shell.run("login", url, *arguments, stdin="open sesame\n")


@pytest.mark.parametrize("name", [[], ["--profile", "work"]])
def test_a_sign_in_lives_in_the_keyring_until_it_ends(
    shell: Shell, server: AuthServer, keyring: Path, name: list[str]
) -> None:
    signed_in = login(shell, server.url, "--keyring", *name)

    assert (signed_in.code, signed_in.err) == (0, "")
    assert list(shell.home.glob("*.json")) == []
    assert "mpr_0" in keyring.read_text()
    assert shell.run("token", *name).out == "access-0-1\n"
    assert shell.run("token", "--min-life", "1000").out == "access-1-2\n"
    (listed,) = json.loads(shell.run("status", "--json").out)
    assert (listed["username"], listed["current"]) == ("alice", True)
    assert "alice at" in shell.run("doctor").out
    assert shell.run("logout", *name).code == 0
    assert json.loads(keyring.read_text()) == {}
    assert shell.run("token", *name).code == 3


def test_where_no_keyring_works_the_file_is_used_and_that_is_said(
    shell: Shell, server: AuthServer, keyring: Path
) -> None:
    keyring.unlink()
    signed_in = login(shell, server.url, "--keyring")

    assert signed_in.code == 0
    assert "No keyring works here" in signed_in.err
    assert shell.run("token").out == "access-0-1\n"


def test_a_keyring_that_cannot_be_asked_is_exit_code_5(
    shell: Shell, server: AuthServer, keyring: Path
) -> None:
    login(shell, server.url, "--keyring")
    kept = keyring.read_text()
    keyring.unlink()

    assert shell.run("token").code == 5
    assert shell.run("doctor").code == 5
    keyring.write_text(kept)
    assert shell.run("token").code == 0
