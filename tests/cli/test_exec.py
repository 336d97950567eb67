"""`mapae exec`: another program in place of this one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import MAIN, Shell
from tests.client.wire import auth_server


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user who has a token."""
    return Shell(tmp_path / "home", {"MAPAE_TOKEN": "a.b.c"})


def test_the_command_has_the_token_and_its_own_exit_code(shell: Shell) -> None:
    script = 'printf "%s\\n" "$MAPAE_TOKEN" "$VAULT_TOKEN" "$1" "$2"; cat; exit 7'
    ran = shell.run(
        "exec", "--variable", "VAULT_TOKEN", "--", "sh", "-c", script, "sh", "--help", "--", stdin="typed"
    )

    assert (ran.code, ran.err) == (7, "")
    assert ran.out == "a.b.c\na.b.c\n--help\n--\ntyped"


def test_the_token_is_renewed_before_the_command_starts(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with auth_server() as server:
        shell.login(server.url)
        ran = shell.run("exec", "--min-life", "1000", "sh", "-c", 'echo "$MAPAE_TOKEN"')

    assert ran.out == "access-1-2\n"


def test_signals_are_the_commands_own(shell: Shell) -> None:
    script = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); "
        "print('ready', flush=True); signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "exec", "--", sys.executable, "-c", script],
        env=shell.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGTERM)
    assert process.returncode == 3


def test_a_pipe_that_nobody_reads_ends_the_command_as_in_a_shell(shell: Shell) -> None:
    ran = shell.run("exec", "--", "sh", "-c", "yes | head -n 1")

    assert (ran.out, ran.err) == ("y\n", "")


@pytest.mark.parametrize(
    "arguments", [[], ["--"], ["./there-is-no-such-command"], ["--variable", "A=B", "true"], [""]]
)
def test_what_cannot_be_run_is_one_line(shell: Shell, arguments: list[str]) -> None:
    ran = shell.run("exec", *arguments)

    assert (ran.code, ran.err.count("\n")) == (2, 1)
