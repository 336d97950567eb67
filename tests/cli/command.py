"""Runs `mapae` as a shell does: another process, its own home, nothing of the caller's settings."""

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MAIN = "import sys; from mapae.cli.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A user with a home directory."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> Ran:
        """`mapae` with these arguments."""
        return self.python(MAIN, *arguments, stdin=stdin, **variables)

    def python(self, code: str, *arguments: str, stdin: str = "", **variables: str) -> Ran:
        """An interpreter of its own, started with `code`."""
        ran = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            input=stdin,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def terminal(self, *arguments: str, answers: Sequence[tuple[str, str]] = ()) -> Ran:
        """`mapae` at a terminal; `answers` are prompts to wait for and what is then typed."""
        terminal, other_side = pty.openpty()
        # A session leader that opens a terminal has it as its own: there the password is asked for.
        code = f"import os; os.open(os.ttyname(0), os.O_RDWR); {MAIN}"
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=other_side,
            stdout=other_side,
            stderr=other_side,
            env=self.environment,
            start_new_session=True,
        ) as process:
            os.close(other_side)
            shown = ""
            for prompt, typed in answers:
                while prompt not in shown.rpartition("\n")[2]:
                    shown += os.read(terminal, 4096).decode()
                os.write(terminal, f"{typed}\n".encode())
            with suppress(OSError):  # how a pseudo-terminal says that the other side is gone
                while more := os.read(terminal, 4096):
                    shown += more.decode()
            os.close(terminal)
        return Ran(process.returncode, shown.replace("\r\n", "\n"), "")

    @property
    def environment(self) -> dict[str, str]:
        """The caller's, without its settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAPAE_")}
        return {**inherited, "MAPAE_HOME": str(self.home), "TZ": "UTC", **self.variables}

    def login(self, url: str) -> Ran:
        """Sign in as the user of `tests.client.wire.AuthServer`."""
        return self.run("login", url, "--username", "alice", "--password-stdin", stdin="open sesame\n")
