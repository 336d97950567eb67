"""Claim sets: made, parsed, and the checks every kind of token shares (RFC 7519, RFC 8725)."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from mapae.jose import jws, strict_json
from mapae.jose.errors import JoseError, JoseErrorCode, malformed, unusable_key
from mapae.jose.jwk import Jwk

#: What a NumericDate may be (RFC 7519 section 2); not bool, which in Python is an int.
_NUMBERS: Final = frozenset({int, float})


def sign_claims(claims: Mapping[str, Any], key: Jwk, *, typ: str) -> str:
    """`claims` signed with the algorithm the key is for, in compact form.

    Raises:
        JoseError: UNUSABLE_KEY when the key has no `alg` or cannot sign.
        ValueError, TypeError: when JSON has no form for a claim.
    """
    if key.alg is None:
        raise unusable_key("alg is missing")
    return jws.sign(strict_json.dump(claims), key, algorithm=key.alg, typ=typ)


def parse_claims(payload: bytes) -> dict[str, Any]:
    """The claim set in the payload of a verified token.

    Raises:
        JoseError: MALFORMED when it is not one strict JSON object.

    Does not check: any claim.
    """
    return strict_json.parse_object(payload)


def check_type(header: Mapping[str, Any], expected: str) -> None:
    """Check that `typ` is the media type `expected`, as in "at+jwt".

    Raises:
        JoseError: WRONG_TYPE.

    Implements: RFC 7515 section 4.1.9 ("application/" may be left out, case does not matter),
        RFC 8725 section 3.11.
    """
    typ = header.get("typ")
    if typ == expected:
        return
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") != expected.lower():
        raise JoseError(JoseErrorCode.WRONG_TYPE, f"typ is not {expected}")


def check_issuer(claims: Mapping[str, Any], issuer: str) -> None:
    """Check that `iss` is `issuer`, character by character (RFC 8725 section 3.8).

    Raises:
        JoseError: WRONG_ISSUER.
    """
    if claims.get("iss") != issuer:
        raise JoseError(JoseErrorCode.WRONG_ISSUER, f"iss is not {issuer}")


def check_audience(claims: Mapping[str, Any], audience: str | Collection[str]) -> None:
    """Check that `aud`, a string or an array of strings, names `audience`, or one of them.

    Raises:
        JoseError: WRONG_AUDIENCE, also when `aud` is missing; MALFORMED when it is of another form.

    Implements: RFC 7519 section 4.1.3.
    """
    named = claims.get("aud", ())
    if isinstance(named, str):
        named = (named,)
    elif not isinstance(named, (list, tuple)) or not all(isinstance(name, str) for name in named):
        raise malformed("aud is no string and no array of strings")
    expected = (audience,) if isinstance(audience, str) else audience
    for name in named:
        if name in expected:
            return
    raise JoseError(JoseErrorCode.WRONG_AUDIENCE, "aud names none of the audiences expected")


def check_times(claims: Mapping[str, Any], *, now: float, leeway_s: float = 0) -> None:
    """Check that `exp` is there and not reached, and that `nbf` and `iat`, if they are there, are not in the future.

    Args:
        now: NumericDate seconds
        leeway_s: how far clocks may be apart; at `exp` + `leeway_s` the token is over
    Raises:
        JoseError: EXPIRED; NOT_YET_VALID; MALFORMED when `exp` is missing or one of them is no number.

    Implements: RFC 7519 sections 4.1.4 to 4.1.6; to refuse by `iat` is ours.
    """
    expires_at: Any = claims.get("exp")
    if type(expires_at) not in _NUMBERS:
        raise malformed("exp is missing or no NumericDate")
    if now >= expires_at + leeway_s:
        raise JoseError(JoseErrorCode.EXPIRED, "exp has passed")
    for name in ("nbf", "iat"):
        begins_at = claims.get(name, now)
        if type(begins_at) not in _NUMBERS:
            raise malformed(f"{name} is no NumericDate")
        if begins_at > now + leeway_s:
            raise JoseError(JoseErrorCode.NOT_YET_VALID, f"{name} is in the future")
