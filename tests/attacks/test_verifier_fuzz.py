"""Tokens bent at every joint, most of them signed all the same, held against a second, slow reading of the RFCs."""

import base64
import json
import math
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mapae import TokenRejected
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.testing import FixedClock, Issuer

KEY, STRANGER = Jwk.generate("ES256"), Jwk.generate("ES256")
CLOCK = FixedClock()
NOW = int(CLOCK.now)
ISSUER = Issuer(audience="https://api.example.com", clock=CLOCK)
VERIFIER = ISSUER.verifier(keys=JwkSet([KEY.public()]), leeway_s=30)
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER.issuer,
    "sub": "alice",
    "aud": ISSUER.audience,
    "exp": NOW + 300,
    "iat": NOW,
    "jti": "j1",
    "client_id": "c1",
    "scope": "a b",
    "roles": ["member"],
}

# --- what happens to a token on its way ---

_values = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 0.5, "", "x", "a  b", "a b", [], ["x"], ["x", 1], {}, {"jkt": "x"}, 10**19, 1e300,
        NOW, NOW + 30, NOW + 31, NOW - 29, NOW - 30, NOW - 30.5, ISSUER.issuer, ISSUER.audience,
        [ISSUER.audience, "other"], "at+jwt", "AT+JWT", "application/at+jwt", "JWT", "none", "ES384", "HS256", KEY.kid,
    ]
)  # fmt: skip
_claim = st.tuples(
    st.sampled_from([*CLAIMS, "nbf", "cnf", "acr", "amr", "auth_time", "sid", "other"]), _values
)
_member = st.tuples(st.sampled_from([*HEADER, "crit", "b64", "jwk", "jku", "x5c", "cty", "other"]), _values)
_removed = st.sampled_from([*CLAIMS, *HEADER])

_TEXTS: list[Callable[[str], str]] = [
    lambda text: text.replace(":", " :\t", 1),
    lambda text: f" \r\n{text}\n",
    lambda text: f"{text} x",
    lambda text: f"\ufeff{text}",
    lambda text: f"[{text}]",
    lambda text: text[:-1],
    lambda text: text.replace("{", '{"sub":"mallory",', 1),
    lambda text: text.replace("{", '{"alg":"none",', 1),
    lambda text: text.replace("{", '{"a":{"b":1,"b":2},', 1),
    lambda text: text.replace("{", '{"a":NaN,', 1),
    lambda text: text.replace("{", '{"a":1e999,', 1),
    lambda text: text.replace("{", f'{{"a":{"9" * 21},', 1),
    lambda text: text.replace("{", f'{{"a":{"9" * 20},', 1),
    lambda text: text.replace("{", '{"a":01,', 1),
    lambda text: text.replace("{", f'{{"a":{"[" * 15}{"]" * 15},', 1),
    lambda text: text.replace("{", f'{{"a":{"[" * 16}{"]" * 16},', 1),
    lambda text: text.replace("{", f'{{"a":"{"[" * 40}",', 1),
    lambda text: text.replace("{", '{"a":"\\ud800",', 1),
    lambda text: text.replace("{", '{"a":"\\ud83d\\ude00\\u0000",', 1),
    lambda text: text.replace("{", '{"a":"\x01",', 1),
    lambda text: text.replace("{", "{,", 1),
    lambda text: text.replace('"', "'"),
    lambda text: text.replace("s", "\\u0073", 1),
]
_BYTES: list[Callable[[bytes], bytes]] = [
    lambda raw: raw.decode().encode("utf-16"),
    lambda raw: raw.replace(b"{", b'{"a":"\xff",', 1),
    lambda raw: raw.replace(b"{", b'{"a":"\xc0\xaf",', 1),
    lambda raw: raw.replace(b"{", '{"a":"\u00e9\U0001f600",'.encode(), 1),
    lambda raw: b"",
]
_TOKENS: list[Callable[[str], str]] = [
    lambda token: f"{token}=",
    lambda token: f"{token}.",
    lambda token: f".{token}",
    lambda token: f" {token}",
    lambda token: f"{token}\n",
    lambda token: token.replace(".", "..", 1),
    lambda token: token.rpartition(".")[0],
    lambda token: token.rpartition(".")[0] + ".",
    lambda token: token.replace("_", "/").replace("-", "+"),
    lambda token: token[:-1] + chr(ord(token[-1]) + 1),
    lambda token: token.replace(".", "\u3002"),
    lambda token: token.swapcase(),
    lambda token: token + "A" * 9000,
]


def _mostly_none(mutations: list[Callable[[Any], Any]]) -> st.SearchStrategy[list[Callable[[Any], Any]]]:
    return st.one_of(st.just([]), st.just([]), st.lists(st.sampled_from(mutations), min_size=1, max_size=2))


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, bytes, bytes]:
    """A token, and what was signed and with which signature before it was bent for the last time."""
    header, claims = dict(HEADER), dict(CLAIMS)
    claims.update(draw(st.lists(_claim, max_size=2)))
    header.update(draw(st.one_of(st.just([]), st.lists(_member, max_size=1))))
    for name in draw(st.one_of(st.just([]), st.lists(_removed, max_size=1))):
        claims.pop(name, None)
        header.pop(name, None)
    encoded = []
    for members in (header, claims):
        text = json.dumps(members, ensure_ascii=False)
        for change in draw(_mostly_none(_TEXTS)):
            text = change(text)
        raw = text.encode()
        for turn in draw(_mostly_none(_BYTES))[:1]:
            raw = turn(raw)
        encoded.append(base64.urlsafe_b64encode(raw).rstrip(b"="))
    signed = b".".join(encoded)
    key = draw(st.sampled_from([KEY, KEY, KEY, KEY, STRANGER]))
    signature = ALGORITHMS["ES256"].sign(key.private_key, signed)
    token = (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()
    for change in draw(_mostly_none(_TOKENS)):
        token = change(token)
    return token, signed if key is KEY else b"", signature


# --- the second reading ---


class Refused(Exception):
    """It is no good."""


def _demand(condition: object) -> None:
    if not condition:
        raise Refused


def _octets(segment: str) -> bytes:
    _demand(segment.isascii() and all(character.isalnum() or character in "-_" for character in segment))
    _demand(len(segment) % 4 != 1)
    octets = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    _demand(base64.urlsafe_b64encode(octets).rstrip(b"=").decode() == segment)
    return octets


def _object(raw: bytes) -> dict[str, Any]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _demand(len({name for name, _ in pairs}) == len(pairs))
        return dict(pairs)

    def integer(digits: str) -> int:
        _demand(len(digits) <= 20)
        return int(digits)

    def constant(_: str) -> None:
        raise Refused

    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=members, parse_int=integer, parse_constant=constant
        )
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        raise Refused from None
    _demand(isinstance(value, dict) and _depth(value) <= 16)
    found: dict[str, Any] = value
    return found


def _depth(value: Any) -> int:
    if isinstance(value, float):
        _demand(math.isfinite(value))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _second_reading(token: str, signed: bytes, signature: bytes) -> None:
    _demand(len(token) <= 8192 and token.count(".") == 2)
    head, body, tail = token.split(".")
    header, payload = _object(_octets(head)), _octets(body)
    _demand(header.get("alg") == "ES256" and "crit" not in header and "b64" not in header)
    _demand(all(isinstance(header.get(name, ""), str) for name in ("kid", "typ", "cty")))
    _demand(header.get("kid", KEY.kid) == KEY.kid)
    _demand(f"{head}.{body}".encode() == signed and _octets(tail) == signature)
    claims = _object(payload)
    _demand(header.get("typ", "").lower() in ("at+jwt", "application/at+jwt"))
    _demand(claims.get("iss") == ISSUER.issuer)
    _demand(all(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "jti", "client_id")))
    _demand(_number(claims.get("exp")) and claims["exp"] + 30 > NOW)
    _demand(_number(claims.get("iat")) and claims["iat"] <= NOW + 30)
    _demand("nbf" not in claims or (_number(claims["nbf"]) and claims["nbf"] <= NOW + 30))
    audience = claims.get("aud")
    _demand(isinstance(audience, str) or _texts(audience))
    _demand(audience == ISSUER.audience or (isinstance(audience, list) and ISSUER.audience in audience))
    _demand(all(isinstance(claims.get(name, ""), str) for name in ("scope", "sid", "acr")))
    _demand("  " not in claims.get("scope", ""))
    _demand(all(_texts(claims.get(name, [])) for name in ("roles", "amr")))
    _demand(_number(claims.get("auth_time", 0)) and "cnf" not in claims)


def _is_good(token: str, signed: bytes, signature: bytes) -> bool:
    try:
        _second_reading(token, signed, signature)
    except Refused:
        return False
    return True


def _is_accepted(token: str) -> bool:
    try:
        VERIFIER.verify(token)
    except TokenRejected:
        return False
    return True


@settings(max_examples=500, deadline=None)
@given(tokens())
def test_verifier_and_second_reading_agree(bent: tuple[str, bytes, bytes]) -> None:
    assert _is_accepted(bent[0]) == _is_good(*bent)


def test_an_unbent_token_is_good_to_both() -> None:
    segments = [json.dumps(members).encode() for members in (HEADER, CLAIMS)]
    signed = b".".join(base64.urlsafe_b64encode(raw).rstrip(b"=") for raw in segments)
    signature = ALGORITHMS["ES256"].sign(KEY.private_key, signed)
    token = f"{signed.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert _is_good(token, signed, signature)
    assert _is_accepted(token)
