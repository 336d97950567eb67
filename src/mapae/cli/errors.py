"""How a command fails: one line that says what happened and what to do, and an exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell learns. Scripts rely on the numbers."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    SIGN_IN_NEEDED = 3
    NETWORK = 4
    LOCAL_STORE = 5
    INTERRUPTED = 130


class CommandFailed(Exception):
    """Ends the command: `main` prints `message` on stderr as one line and exits with `exit_code`.

    Args:
        message: what happened and what to do, one sentence or two; never a secret.
        exit_code: which kind of failure it was.
    """

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
