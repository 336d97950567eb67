"""What an API's refusal asks for: the `WWW-Authenticate` challenges of RFC 6750 and RFC 9470."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from mapae.client.errors import StepUpRequired

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_END: Final = r"[ \t]*(?:,|$)"
_PARAMETER: Final = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:({_WORD})|"((?:[^"\\]|\\.)*)"){_END}')
#: A scheme alone, or with credentials of one piece (token68), or before its first parameter.
_SCHEME: Final = re.compile(rf"({_WORD})(?: +[A-Za-z0-9._~+/-]+=*{_END}| +(?={_WORD}[ \t]*=)|{_END})")
_SEPARATORS: Final = re.compile(r"[ \t,]*")
_ESCAPED: Final = re.compile(r"\\(.)")

#: The statuses whose challenges say something about the token.
REFUSALS: Final = frozenset({401, 403})

#: One of them, by the error of the Bearer challenge that asks for another sign-in.
_STEP_UP: Final = {"insufficient_scope": 403, "insufficient_user_authentication": 401}


def refuses_token(status: int, challenges: str) -> bool:
    """Whether an API says that the access token itself is no good (RFC 6750 section 3.1).

    Args:
        challenges: the `WWW-Authenticate` values, joined with commas.
    """
    return status == 401 and any(
        members.get("error") == "invalid_token" for members in _of_bearer(challenges)
    )


def check_step_up(status: int, challenges: str) -> None:
    """Check that an API does not want a token with more in it.

    Raises:
        StepUpRequired: it names a missing scope (RFC 6750 section 3.1) or wants a stronger or more recent sign-in
            (RFC 9470 section 3).
    """
    if status not in REFUSALS:
        return
    for members in _of_bearer(challenges):
        error = members.get("error", "")
        if _STEP_UP.get(error) == status:
            raise StepUpRequired(
                error,
                scope=members.get("scope", ""),
                acr_values=members.get("acr_values", ""),
                max_age=_seconds(members.get("max_age", "")),
            )


def _of_bearer(challenges: str) -> Iterator[Mapping[str, str]]:
    for scheme, members in _parsed(challenges):
        if scheme == "bearer":
            yield members


def _parsed(challenges: str) -> list[tuple[str, dict[str, str]]]:
    """Scheme and parameters of each challenge, names in lower case; up to the first thing that is neither."""
    found: list[tuple[str, dict[str, str]]] = []
    at = _after_separators(challenges, 0)
    while at < len(challenges):
        if found and (parameter := _PARAMETER.match(challenges, at)):
            name, plain, quoted = parameter.groups()
            found[-1][1].setdefault(name.lower(), plain if plain is not None else _ESCAPED.sub(r"\1", quoted))
            at = parameter.end()
        elif scheme := _SCHEME.match(challenges, at):
            found.append((scheme[1].lower(), {}))
            at = scheme.end()
        else:
            break
        at = _after_separators(challenges, at)
    return found


def _after_separators(text: str, at: int) -> int:
    separators = _SEPARATORS.match(text, at)
    return separators.end() if separators else at


def _seconds(value: str) -> int | None:
    return int(value[:9]) if value.isascii() and value.isdecimal() else None
