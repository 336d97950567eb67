"""The log: JSON lines or lines for people, on stderr, without secrets.

Two nets hold secrets back: values under telling names are masked before a line is made, and whatever looks
like a credential is masked as the line leaves, wherever it stands: in an exception, a URL, a library's text.
"""

import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TextIO, cast

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from mapae.secret import Secret

MASK: Final = "[hidden]"

#: A value is hidden when one of the words of its name is among these. Numbers are not: they measure.
_TELLING: Final = frozenset(
    {
        "assertion",
        "authorization",
        "cookie",
        "cookies",
        "dpop",
        "password",
        "proof",
        "secret",
        "token",
        "tokens",
        "verifier",
    }
)

#: `code` names an error more often than an authorization code, which never reads like one.
_ERROR_CODE: Final = re.compile(r"[a-z]+(_[a-z]+)*")

_CREDENTIALS: Final = re.compile(
    r"""
      mpr_[A-Za-z0-9_-]+                                                # refresh tokens
    | \be[yw][A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}[A-Za-z0-9_.-]*      # JWS, JWE and their beginnings
    | \$argon2\w+\$[A-Za-z0-9+/=,$]+                                    # password hashes
    | (?<=://)[^\s/@"']+:[^\s/@"']*(?=@)                                # user and password in a URL
    | (?<=[?&]code=)[^\s&"'\\]+                                         # authorization codes
    """,
    re.VERBOSE,
)

#: One of these is in whatever `_CREDENTIALS` matches; looking for them costs a tenth.
_MARKS: Final = ("mpr_", "ey", "$argon2", "://", "code=")

#: Libraries whose ordinary lines belong into our log. Others speak from WARNING on: below it, some print
#: statements with their parameters.
_TALKATIVE: Final = ("uvicorn", "uvicorn.error")

#: Prints request targets with their queries; the server has its own line for each request.
_SILENT: Final = "uvicorn.access"


def configure_logging(style: str, level: str) -> None:
    """Set up this process's log, for structlog and for the standard library alike.

    Args:
        style: json or human.
        level: debug, info, warning or error.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        hide_telling_values,
        _renderer(style),
    ]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _MaskedStderr())),
    )
    _route_standard_library(first, last, threshold)


def hide_telling_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask what stands under a telling name, at any depth."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    # Most values are these; what follows costs ten times as much.
    if type(value) in (int, float) or (type(value) is str and name != "code" and not _is_telling_name(name)):
        return value
    match value:
        case Mapping():
            return {str(inner): _hidden(str(inner), item) for inner, item in value.items()}
        case None | int() | float():
            return value
        case _ if _is_telling(name, value):
            return MASK
        case list() | tuple() | set() | frozenset():
            return [_hidden("", item) for item in value]
        case _:
            return value


def _is_telling(name: str, value: object) -> bool:
    if isinstance(value, Secret) or _is_telling_name(name):
        return True
    return name == "code" and not (isinstance(value, str) and _ERROR_CODE.fullmatch(value))


@lru_cache(maxsize=512)
def _is_telling_name(name: str) -> bool:
    return not _TELLING.isdisjoint(name.lower().replace("-", "_").split("_"))


def _renderer(style: str) -> Processor:
    if style == "json":
        return structlog.processors.JSONRenderer()
    # Not structlog's own way with exceptions: it would print the local variables.
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


class _MaskedStderr:
    """Whatever `sys.stderr` is at the time of writing, without credentials."""

    def write(self, text: str) -> None:
        if any(mark in text for mark in _MARKS):
            text = _CREDENTIALS.sub(MASK, text)
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Handler(logging.StreamHandler[_MaskedStderr]):
    """Ours, so that a second `configure_logging` finds and replaces it."""


def _route_standard_library(first: list[Processor], last: list[Processor], threshold: int) -> None:
    handler = _Handler(_MaskedStderr())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(max(threshold, logging.WARNING))
    for name in _TALKATIVE:
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.setLevel(threshold)
    logging.getLogger(_SILENT).disabled = True
