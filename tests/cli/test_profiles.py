"""Several sign-ins on one device: names, the current one, and what is meant when."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Ran, Shell
from tests.client.wire import AuthServer, auth_server


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user who never signed in anywhere."""
    return Shell(tmp_path / "home")


@pytest.fixture
def server() -> Iterator[AuthServer]:
    """Where alice may sign in."""
    with auth_server() as server:
        yield server


def login(shell: Shell, url: str, profile: str) -> Ran:
    arguments = ("--username", "alice", "--password-stdin", "--profile", profile)
    return shell.run("login", url, *arguments, stdin="open sesame\n")


def test_two_sign_ins_to_one_server_do_not_touch_one_another(shell: Shell, server: AuthServer) -> None:
    assert login(shell, server.url, "work").code == 0
    assert login(shell, server.url, "home").code == 0

    assert shell.run("token").out == "access-0-2\n"
    assert shell.run("token", "--profile", "work").out == "access-0-1\n"
    assert shell.run("logout", "--profile", "home").code == 0
    assert shell.run("token", "--profile", "work").out == "access-0-1\n"
    gone = shell.run("token")
    assert (gone.code, gone.err) == (
        3,
        "mapae: there is no profile home; run: mapae login URL --profile home\n",
    )


def test_options_win_over_the_variable_and_the_variable_over_the_switch(
    shell: Shell, server: AuthServer
) -> None:
    login(shell, server.url, "work")
    login(shell, server.url, "home")
    shell.login(server.url)

    assert shell.run("token").out == "access-0-3\n"
    assert shell.run("switch", "work").out == "Commands now mean work.\n"
    assert shell.run("token").out == "access-0-1\n"
    assert shell.run("token", MAPAE_PROFILE="home").out == "access-0-2\n"
    assert shell.run("token", MAPAE_PROFILE=server.url).out == "access-0-3\n"
    assert shell.run("token", "--profile", "work", MAPAE_PROFILE="home").out == "access-0-1\n"
    assert shell.run("token", "--issuer", server.url, MAPAE_PROFILE="home").out == "access-0-3\n"
    assert shell.run("switch", server.url).code == 0
    assert shell.run("token").out == "access-0-3\n"


def test_the_note_of_the_current_one_is_for_its_owner_only(shell: Shell, server: AuthServer) -> None:
    login(shell, server.url, "work")
    note = shell.home / "current"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600

    note.chmod(0o644)
    ran = shell.run("token")
    assert (ran.code, "chmod 600" in ran.err) == (5, True)


def test_who_is_told_to_sign_in_again_is_told_with_the_profile(shell: Shell, server: AuthServer) -> None:
    login(shell, server.url, "work")
    server.ended = "idle"

    ran = shell.run("token", "--min-life", "1000")
    assert ran.err.endswith(f"run: mapae login {server.url} --profile work\n")
    assert login(shell, server.url, "work").code == 0


def test_a_name_means_one_server_at_a_time(shell: Shell, server: AuthServer) -> None:
    with auth_server() as other:
        login(shell, other.url, "work")
        refused = login(shell, server.url, "work")
        assert (refused.code, "logout --profile work" in refused.err) == (2, True)
        assert server.seen == []

        other.ended = "expired"
        shell.run("token", "--min-life", "1000")
    assert login(shell, server.url, "work").code == 0
    (kept,) = json.loads(shell.run("switch", "--json").out)
    assert (kept["profile"], kept["issuer"], kept["current"]) == ("work", server.url, True)


@pytest.mark.parametrize("name", ["../x", "Work", "a b", "", "a@b", "x" * 33, "-x"])
def test_a_name_is_one_that_a_file_may_have(shell: Shell, server: AuthServer, name: str) -> None:
    ran = login(shell, server.url, name)

    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert server.seen == []
    assert not shell.home.exists()


@pytest.mark.parametrize("wanted", ["work", "https://auth.example.com"])
def test_a_switch_to_nothing_is_refused(shell: Shell, server: AuthServer, wanted: str) -> None:
    login(shell, server.url, "home")
    ran = shell.run("switch", wanted)

    assert (ran.code, "run: mapae login" in ran.err) == (3, True)
    assert shell.run("token").code == 0


def test_two_ways_to_name_a_profile_are_one_too_many(shell: Shell) -> None:
    ran = shell.run("token", "--profile", "work", "--issuer", "https://auth.example.com")

    assert (ran.code, "exclude each other" in ran.err) == (2, True)


def test_a_token_or_a_profile_of_the_environment_is_not_forgotten_silently(
    shell: Shell, server: AuthServer
) -> None:
    signed_in = shell.run(
        "login",
        server.url,
        "--username",
        "alice",
        "--password-stdin",
        stdin="open sesame\n",
        MAPAE_TOKEN="x",
    )
    assert "MAPAE_TOKEN" in signed_in.err
    assert "MAPAE_PROFILE" in shell.run("switch", server.url, MAPAE_PROFILE="work").err
