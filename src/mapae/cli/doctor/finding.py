"""What a check found: one line, for a person or a program."""

from dataclasses import dataclass
from enum import StrEnum

from mapae.cli.errors import ExitCode


class Verdict(StrEnum):
    """How much it matters."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Attributes:
        about: what was looked at.
        text: what was seen and, unless that is good, what to do. Never a secret.
        exit_code: that of the command, when this fails and is the first to.
    """

    verdict: Verdict
    about: str
    text: str
    exit_code: ExitCode = ExitCode.DONE


def ok(about: str, text: str) -> Finding:
    """All is well."""
    return Finding(Verdict.OK, about, text)


def warn(about: str, text: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(Verdict.WARN, about, text)


def fail(about: str, text: str, exit_code: ExitCode) -> Finding:
    """It does not work."""
    return Finding(Verdict.FAIL, about, text, exit_code)
