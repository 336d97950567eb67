"""The caller of a request: what is known of who talks to us."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DEVICE_NAME_LIMIT: Final = 100
USER_AGENT_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Address and user agent as far as they can be believed; SHA-256 of `Mapae-Instance` and `Mapae-Attempt`."""

    address: str | None = None
    user_agent: str | None = None
    instance_digest: bytes | None = None
    attempt_digest: bytes | None = None


@lru_cache(maxsize=1024)
def printable(text: str | None, *, limit: int) -> str | None:
    """`text` as it may be stored and shown: printable characters only, at most `limit`, None for nothing."""
    if text is None:
        return None
    # Bounded before the walk: the caller chose the length.
    kept = "".join(character for character in text[: 4 * limit] if character.isprintable())
    return kept.strip()[:limit].rstrip() or None
