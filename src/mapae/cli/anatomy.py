"""The anatomy of a token: what each part says, what it costs in bytes, what speaks against it. Pure, checks nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mapae.cli.moments import local, seen_from, span
from mapae.jose import base64url, strict_json
from mapae.jose.errors import malformed

LONGEST_LIFE_S: Final = 3600

MEANINGS: Final[Mapping[str, str]] = {
    "alg": "signature algorithm",
    "typ": "kind of token",
    "kid": "key that signed it",
    "iss": "issuer",
    "sub": "whom it is about",
    "aud": "API it is for",
    "exp": "ends",
    "nbf": "begins",
    "iat": "issued",
    "jti": "name of this token",
    "client_id": "application it is for",
    "azp": "application it is for",
    "scope": "what it allows",
    "sid": "session",
    "roles": "roles of the user",
    "auth_time": "the user signed in",
    "amr": "ways of sign-in",
    "acr": "strength of sign-in",
    "cnf": "useless without its key",
    "nonce": "ties it to one request",
}

#: Claims that are moments, of which people want to know how far away they are.
MOMENTS: Final = frozenset({"exp", "nbf", "iat", "auth_time"})

#: OpenID Connect Core section 5.1.
PERSONAL: Final = frozenset(
    "name given_name family_name middle_name nickname preferred_username profile picture website "  # noqa: SIM905
    "email gender birthdate zoneinfo phone_number address".split()
)

SOUND_ALGORITHMS: Final = frozenset(
    "ES256 ES384 ES512 EdDSA Ed25519 Ed448 PS256 PS384 PS512 RS256 RS384 RS512".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Member:
    """One header parameter or claim.

    Attributes:
        shown: the value in words.
        size: what it adds to the token, in bytes.
    """

    name: str
    value: Any
    shown: str
    meaning: str
    size: int


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A token taken apart. Sizes are in bytes; those of header and claims include their brackets."""

    header: tuple[Member, ...]
    claims: tuple[Member, ...]
    header_size: int
    claims_size: int
    signature_size: int
    size: int
    ends: str
    warnings: tuple[str, ...]


def dissect(token: str, now: float) -> Anatomy:
    """The parts of a signed token in compact form (RFC 7515 section 3.1).

    Raises:
        JoseError: it is not one.

    Does not check: the signature, or any claim.
    """
    segments = token.split(".")
    if len(segments) == 5:
        raise malformed("it is encrypted, only its addressee can read it")
    if len(segments) != 3:
        raise malformed(f"a signed token has 3 parts with dots between, this has {len(segments)}")
    header = strict_json.parse_object(base64url.decode(segments[0]))
    claims = strict_json.parse_object(base64url.decode(segments[1]))
    base64url.decode(segments[2])
    return Anatomy(
        header=_members(header, now),
        claims=_members(claims, now),
        header_size=len(segments[0]),
        claims_size=len(segments[1]),
        signature_size=len(segments[2]),
        size=len(token),
        ends=_ends(claims, now),
        warnings=tuple(_warnings(header, claims, bool(segments[2]))),
    )


def _members(members: Mapping[str, Any], now: float) -> tuple[Member, ...]:
    """Members with their share of the segment: four characters for three bytes, rounded so that the sum is right."""
    taken, position = [], 1  # the opening brace
    for name, value in members.items():
        end = position + len(strict_json.dump({name: value})) - 1  # without braces, with a comma
        size = _encoded(end) - _encoded(position)
        taken.append(Member(name, value, _shown(name, value, now), MEANINGS.get(name, ""), size))
        position = end
    return tuple(taken)


def _encoded(size: int) -> int:
    return -(-size * 4 // 3)


def _shown(name: str, value: Any, now: float) -> str:
    if name in MOMENTS and (moment := _moment(value)) is not None:
        return f"{seen_from(now, moment)}, {local(moment)}"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _moment(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _ends(claims: Mapping[str, Any], now: float) -> str:
    end = _moment(claims.get("exp"))
    if end is None:
        return "never ends"
    return f"ends {seen_from(now, end)}" if end > now else f"ended {span(now - end)} ago"


def _warnings(header: Mapping[str, Any], claims: Mapping[str, Any], signed: bool) -> Iterator[str]:
    algorithm = header.get("alg")
    if algorithm == "none" or not signed:
        yield "not signed: anybody can write such a token"
    elif isinstance(algorithm, str) and algorithm.startswith("HS"):
        yield f"{algorithm} is symmetric: every API that can check this token can also make one"
    elif algorithm not in SOUND_ALGORITHMS:
        yield "its algorithm is unknown or weak"
    end, start = _moment(claims.get("exp")), _moment(claims.get("iat"))
    if end is None:
        yield "no end: there is no exp, a leaked copy is good for ever"
    elif start is not None and end - start > LONGEST_LIFE_S:
        yield f"lives {span(end - start)}: a leaked copy is good all that time"
    if personal := sorted(name for name, value in claims.items() if name in PERSONAL or _is_address(value)):
        yield f"personal data ({', '.join(personal)}): everybody who holds the token can read it"


def _is_address(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    name, _, domain = value.partition("@")
    return bool(name) and "." in domain and "/" not in value
