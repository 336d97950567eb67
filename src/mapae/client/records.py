"""What is remembered of one sign-in, and its form on disk."""

import json
from dataclasses import dataclass
from typing import Any, Final

from mapae.secret import Secret

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one turn. Moments are NumericDate seconds by the *server's* clock.

    Attributes:
        life_s: seconds the access token was valid when it was handed out.
        skew_s: the server's clock minus ours when the answer came; add it to our time to get the server's.
        refresh_expires_at: the absolute end of the session.
    """

    access_token: Secret
    expires_at: float
    life_s: float
    skew_s: float
    refresh_token: Secret
    refresh_expires_at: float
    session_id: str
    scope: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person signed in to one server on this device, or, once ended, the tombstone that says why.

    Attributes:
        instance: names this installation to the server (`Mapae-Instance`); drawn at its first sign-in.
        tokens: None once the session has ended.
        ended: the reason it ended for, None while it lives.
    """

    issuer: str
    username: str
    instance: Secret
    tokens: Tokens | None
    ended: str | None = None


class UnknownFormat(ValueError):
    """The record was written by a newer version."""


def dump(sign_in: SignIn) -> bytes:
    """The record as UTF-8 JSON, ready to be kept where only its owner can read it."""
    tokens = sign_in.tokens
    record = {
        "format": FORMAT,
        "issuer": sign_in.issuer,
        "username": sign_in.username,
        "instance": sign_in.instance.reveal(),
        "ended": sign_in.ended,
        "tokens": tokens
        and {
            "access_token": tokens.access_token.reveal(),
            "expires_at": tokens.expires_at,
            "life_s": tokens.life_s,
            "skew_s": tokens.skew_s,
            "refresh_token": tokens.refresh_token.reveal(),
            "refresh_expires_at": tokens.refresh_expires_at,
            "session_id": tokens.session_id,
            "scope": tokens.scope,
        },
    }
    return json.dumps(record, indent=1).encode()


def parse(raw: bytes) -> SignIn:
    """The record that `dump` printed.

    Raises:
        UnknownFormat: it comes from a newer version.
        ValueError: it is damaged.
    """
    try:
        record = json.loads(raw)
        if record["format"] != FORMAT:
            raise UnknownFormat(f"format {record['format']!r}")
        return SignIn(
            issuer=_text(record, "issuer"),
            username=_text(record, "username"),
            instance=Secret(_text(record, "instance")),
            tokens=_tokens(record["tokens"]) if record["tokens"] is not None else None,
            ended=_text(record, "ended") if record["ended"] is not None else None,
        )
    except (KeyError, TypeError, RecursionError) as problem:
        raise ValueError(f"not a record of a sign-in: {type(problem).__name__}") from None


def _tokens(members: dict[str, Any]) -> Tokens:
    return Tokens(
        access_token=Secret(_text(members, "access_token")),
        expires_at=float(members["expires_at"]),
        life_s=float(members["life_s"]),
        skew_s=float(members["skew_s"]),
        refresh_token=Secret(_text(members, "refresh_token")),
        refresh_expires_at=float(members["refresh_expires_at"]),
        session_id=_text(members, "session_id"),
        scope=_text(members, "scope"),
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value
