"""The attacker writes the header (RFC 7515 sections 4 and 4.1.11, RFC 8725 section 3.10)."""

from typing import Any

import pytest

from mapae.jose import jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from tests.jose.forge import accept, key, refusal, signed

ATTACKER = Jwk.generate("ES256", kid="attacker")


@pytest.mark.parametrize(
    "members",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["unknown"], "unknown": 1},
        {"crit": ["unknown"]},
        {"crit": []},
        {"crit": None},
        {"crit": "alg"},
        {"crit": {"alg": 1}},
        {"crit": ["alg"]},
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64", "b64"], "b64": True},
        {"crit": [1]},
        {"b64": False},
        {"b64": True},
    ],
)
def test_an_extension_must_be_understood(members: dict[str, Any]) -> None:
    """RFC 7515 section 4.1.11, RFC 7797 section 6."""
    token = signed({"alg": "ES256", **members}, by=key("ES256"))
    assert refusal(accept, token, key("ES256")) == JoseErrorCode.MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"ES256","alg":"none"}',
        b'{"alg":"none","alg":"ES256"}',
        b'{"alg":"ES256","\\u0061lg":"ES256"}',
        b'{"alg":"ES256","kid":"a","kid":"b"}',
        b'{"alg":"ES256","x":{"y":1,"y":1}}',
    ],
)
def test_a_member_twice(header: bytes) -> None:
    """RFC 7515 section 4: Header Parameter names MUST be unique."""
    assert refusal(accept, signed(header, by=key("ES256")), key("ES256")) == JoseErrorCode.MALFORMED


@pytest.mark.parametrize("header", [b"", b"[]", b'"ES256"', b"1", b"null", b"true", b'[{"alg":"ES256"}]'])
def test_a_header_that_is_no_object(header: bytes) -> None:
    """RFC 7515 section 5.2, step 3."""
    assert refusal(accept, signed(header, by=key("ES256")), key("ES256")) == JoseErrorCode.MALFORMED


@pytest.mark.parametrize(
    "members",
    [
        {"jwk": ATTACKER.public().to_dict()},
        {"jwk": ATTACKER.to_dict(), "kid": "attacker"},
        {"jku": "https://attacker.example/jwks.json"},
        {"jku": "file:///etc/passwd", "kid": "attacker"},
        {"x5u": "https://attacker.example/chain.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "AA", "x5t#S256": "AA"},
    ],
)
def test_a_key_brought_along_is_never_followed(members: dict[str, Any]) -> None:
    """RFC 7515 sections 4.1.2 to 4.1.6, RFC 8725 section 3.10: ours decides, whatever the header brings."""
    keys = JwkSet([key("ES256").public()])

    def verify(by: Jwk) -> None:
        header = {"alg": "ES256", **members}
        found = jws.split(signed(header, by=by))
        jws.verify(found, keys.key_for({**found.header, "kid": key("ES256").kid}, ("ES256",)), ("ES256",))

    verify(key("ES256"))
    assert refusal(verify, ATTACKER) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/dev/null",
        "' OR 1=1--",
        "http://attacker.example/key",
        "a\0b",
        "a\r\nSet-Cookie: x=y",
        "\u202e",
        "k" * 4000,
        "",
    ],
)
def test_a_kid_is_only_ever_compared(kid: str) -> None:
    """RFC 8725 section 3.10: no file, no query, no request comes of it."""
    keys = JwkSet([key("ES256").public()])
    found = jws.split(signed({"alg": "ES256", "kid": kid}, by=ATTACKER))
    assert refusal(keys.key_for, found.header, ("ES256",)) == JoseErrorCode.UNKNOWN_KEY


@pytest.mark.parametrize("name", ["kid", "typ", "cty"])
@pytest.mark.parametrize("value", [1, None, True, ["a"], {"a": 1}])
def test_a_name_that_is_no_string(name: str, value: Any) -> None:
    """RFC 7515 sections 4.1.4, 4.1.9 and 4.1.10."""
    token = signed({"alg": "ES256", name: value}, by=key("ES256"))
    assert refusal(accept, token, key("ES256")) == JoseErrorCode.MALFORMED


def test_a_kid_of_64_kib_is_refused_by_its_length() -> None:
    """RFC 8725 section 3.10."""
    token = signed({"alg": "ES256", "kid": "k" * 65536}, by=key("ES256"))
    assert refusal(accept, token, key("ES256")) == JoseErrorCode.MALFORMED


def test_no_kid_does_not_make_us_try_key_after_key() -> None:
    """RFC 7515 section 4.1.4, appendix D: the work for one token is that of one signature."""
    keys = JwkSet([key("ES256").public(), ATTACKER.public()])
    found = jws.split(signed({"alg": "ES256"}, by=key("ES256")))
    assert refusal(keys.key_for, found.header, tuple(ALGORITHMS)) == JoseErrorCode.UNKNOWN_KEY
