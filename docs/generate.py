"""Writes the pages of docs that follow from the code. `--check` only says which are stale."""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from docs.advice import END_REASONS, EXIT_CODES, PROBLEMS, REJECTIONS, REPORTS, told
from docs.command_line import command_line_page
from mapae import client
from mapae.cli.errors import ExitCode
from mapae.oauth.errors import ErrorCode
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.events import Event
from mapae.server.domain.families import Report
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.sessions import EndReason
from mapae.server.settings import describe
from mapae.verifier import RejectionCode, TokenRejected

DOCS = Path(__file__).parent

_TYPES = {
    "tuple[str, ...]": "list of str",
    "EndReason": "a [reason](../errors.md#why-a-session-ended)",
    "Report": "a [report](#the-reports-of-refresh_reported)",
}


def settings_page() -> str:
    """docs/reference/settings.md."""
    rows = [(f"`{row.variable}`", row.text, row.expects, row.default, row.unit) for row in describe()]
    return f"""# Settings

A setting is read from the first of these that has it:

1. the variable `MAPAE_NAME`,
2. the file that `MAPAE_NAME_FILE` names, without one newline at its end,
3. the key `name` in `mapae.toml` in the working directory, or in the file that `MAPAE_CONFIG` names,
4. the default.

A value and its file at once, an unknown name and an unknown key are errors at start.
`mapae config check` shows what is in force and where it comes from.

{_table(("variable", "meaning", "value", "default", "unit"), rows)}
"""


def metrics_page() -> str:
    """docs/reference/metrics.md."""
    rows = [(f"`{name}`", kind, labels, text) for name, kind, labels, text in Metrics().describe()]
    return f"""# Metrics

`/metrics` answers in the text format of Prometheus: to callers on this machine, and to everyone with
`MAPAE_METRICS=true`. The workers of one server are added up.

{_table(("name", "type", "labels", "meaning"), rows)}
"""


def errors_page() -> str:
    """docs/errors.md."""
    problems = [
        (f"`{code.value}`", str(code.status), code.words, advice)
        for code, advice in told(PROBLEMS, ProblemCode).items()
    ]
    oauth_errors = [(f"`{code.value}`", str(code.status), code.description) for code in ErrorCode]
    reasons = [(f"`{reason.value}`", text) for reason, text in told(END_REASONS, EndReason).items()]
    rejections = [_rejection_row(code, advice) for code, advice in told(REJECTIONS, RejectionCode).items()]
    exits = [(str(code.value), text) for code, text in told(EXIT_CODES, ExitCode).items()]
    return f"""# Errors

Codes are stable: programs may rely on them. The words may change. Nothing here quotes what the caller sent.

## The server: problem documents

Errors of `/auth/*` are `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` and `code`.
Every answer has an `X-Request-Id`, under which the log knows more.

{_table(("code", "status", "words", "what to do"), problems)}

## OAuth errors

The endpoints below `/oauth/` answer with `error` and `error_description` (RFC 6749 section 5.2). Where something
cannot be done now, that is `temporarily_unavailable` with 503, or 429 after too many wrong secrets, and `Retry-After`.

{_table(("error", "status", "words"), oauth_errors)}

## Why a session ended

The member `reason` of `session_ended`, and of `invalid_grant` at a refresh, with `ended_at` in seconds since 1970.

{_table(("reason", "what happened"), reasons)}

## The verifier: why a token is rejected

`TokenRejected.code`, in an API that uses `mapae.verifier`. `error` is what the challenge says (RFC 6750 section 3.1).

{_table(("code", "status", "error", "description", "what the caller does"), rejections)}

A request that presents a token in two ways is `malformed` with status 400 and error `invalid_request`.
`mapae.Misuse` says that an argument of `Verifier` is unsafe or senseless; it is raised where the object is made.

## The client: exceptions

All are `mapae.client.ClientError`. None holds a secret.

{_table(("exception", "when"), _client_rows())}

## The command line: exit codes

A failure is one line on stderr: what happened, and what to do.

{_table(("code", "meaning"), exits)}
"""


def events_page() -> str:
    """docs/reference/events.md."""
    events = "\n\n".join(_event(kind) for kind in get_args(Event))
    reports = [(f"`{report.value}`", text) for report, text in told(REPORTS, Report).items()]
    return f"""# Audit events

What happened, as rows of the table `events`: `id`, `at` (seconds since 1970, by the database's clock), `name`, and
`members` as JSON. An event is saved in the transaction of what it tells, so there is none without the other. Rows are
never changed, and removed after `MAPAE_AUDIT_RETENTION`. No event holds a password, a token, or a name that somebody
typed.

{events}

## The reports of `refresh_reported`

{_table(("report", "what was seen"), reports)}
"""


def _rejection_row(code: RejectionCode, advice: str) -> Sequence[str]:
    rejected = TokenRejected(code, "")
    error = "" if rejected.error is None or rejected.status == 503 else f"`{rejected.error.value}`"
    return f"`{code.value}`", str(rejected.status), error, code.description, advice


def _client_rows() -> list[Sequence[str]]:
    kinds = [getattr(client, name) for name in client.__all__]
    errors = [
        kind for kind in kinds if issubclass(kind, client.ClientError) and kind is not client.ClientError
    ]
    return [(f"`{kind.__name__}`", _first_sentences(kind)) for kind in errors]


def _event(kind: Any) -> str:
    rows = [(f"`{field.name}`", _type(field)) for field in dataclasses.fields(kind)]
    return f"## `{kind.name}`\n\n{inspect.getdoc(kind)}\n\n{_table(('member', 'type'), rows)}"


def _type(field: "dataclasses.Field[Any]") -> str:
    name = inspect.formatannotation(field.type)
    name = re.sub(r"[\w.]+\.(\w+)", r"\1", name)
    return _TYPES.get(name, name).replace("| None", "or null")


def _first_sentences(kind: type) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


#: Path of each generated page below docs, and what it should hold.
PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "reference/command-line.md": command_line_page,
    "reference/events.md": events_page,
    "reference/metrics.md": metrics_page,
    "reference/settings.md": settings_page,
}


def stale() -> list[str]:
    """The pages that do not hold what they should."""
    return [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text("utf-8") != page()
    ]


def main() -> int:
    """Write the stale pages, or with `--check` list them and answer 1 when there are any."""
    found = stale()
    for name in found:
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"docs/{name} is stale: run python -m docs.generate\n")
        else:
            (DOCS / name).parent.mkdir(exist_ok=True)
            (DOCS / name).write_text(PAGES[name](), "utf-8")
    return 1 if found and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    raise SystemExit(main())
