"""jwks.py: the one key for a header, or none."""

from typing import Any

import pytest

from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from tests.jose.forge import key, refusal

A = Jwk.generate("ES256", kid="a")
B = Jwk.generate("ES256", kid="b")
RSA = Jwk.parse({**key("RS256").to_dict(), "alg": "PS256", "kid": "a"})
NAMELESS = Jwk.parse({name: value for name, value in key("Ed25519").to_dict().items() if name != "kid"})
ALL = ("ES256", "PS256", "Ed25519")


def published(*keys: Jwk, extra: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {"keys": [*(each.public().to_dict() for each in keys), *extra]}


def test_the_key_is_the_one_kid_names() -> None:
    keys = JwkSet.parse(published(A, B))
    assert keys.key_for({"alg": "ES256", "kid": "b"}, ALL) == B.public()


def test_keys_of_two_kinds_may_share_a_kid() -> None:
    keys = JwkSet.parse(published(A, RSA))
    assert keys.key_for({"alg": "ES256", "kid": "a"}, ALL) == A.public()
    assert keys.key_for({"alg": "PS256", "kid": "a"}, ALL) == RSA.public()


def test_without_kid_only_a_single_fitting_key_will_do() -> None:
    keys = JwkSet.parse(published(A, B, NAMELESS))
    assert keys.key_for({"alg": "Ed25519"}, ALL) == NAMELESS.public()
    assert refusal(keys.key_for, {"alg": "ES256"}, ALL) == JoseErrorCode.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "ES256", "kid": "c"}, JoseErrorCode.UNKNOWN_KEY),
        ({"alg": "ES256", "kid": ""}, JoseErrorCode.UNKNOWN_KEY),
        ({"alg": "PS256", "kid": "b"}, JoseErrorCode.UNKNOWN_KEY),
        ({"alg": "ES384", "kid": "a"}, JoseErrorCode.ALGORITHM_REFUSED),
        ({"alg": "none", "kid": "a"}, JoseErrorCode.ALGORITHM_REFUSED),
    ],
)
def test_there_is_no_key_for_another_header(header: dict[str, str], code: JoseErrorCode) -> None:
    assert refusal(JwkSet.parse(published(A, B)).key_for, header, ALL) == code


def test_a_kid_that_names_two_keys_of_one_algorithm_names_none() -> None:
    twin = Jwk.generate("ES256", kid="a")
    keys = JwkSet.parse(published(A, twin, B))
    assert refusal(keys.key_for, {"alg": "ES256", "kid": "a"}, ALL) == JoseErrorCode.UNKNOWN_KEY
    assert keys.key_for({"alg": "ES256", "kid": "b"}, ALL) == B.public()


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {**A.public().to_dict(), "use": "enc"},
        {**A.public().to_dict(), "kid": 7},
    ],
)
def test_a_key_we_cannot_use_is_left_out(entry: dict[str, Any]) -> None:
    assert list(JwkSet.parse(published(A, extra=(entry,)))) == [A.public()]


@pytest.mark.parametrize(
    "mapping", [{}, {"keys": None}, {"keys": {}}, {"keys": "a"}, {"keys": [1]}, {"keys": [None]}]
)
def test_what_is_no_key_set_is_refused(mapping: dict[str, Any]) -> None:
    assert refusal(JwkSet.parse, mapping) == JoseErrorCode.MALFORMED


def test_the_number_of_keys_is_limited_usable_or_not() -> None:
    assert len(JwkSet.parse({"keys": [{}] * 64})) == 0
    assert refusal(JwkSet.parse, {"keys": [{}] * 65}) == JoseErrorCode.MALFORMED
    assert refusal(JwkSet.parse, published(A, B), max_keys=1) == JoseErrorCode.MALFORMED


@pytest.mark.parametrize("private", [A, RSA, NAMELESS, key("HS256")], ids=lambda each: each.kty)
def test_a_set_with_a_private_or_shared_key_is_refused_as_a_whole(private: Jwk) -> None:
    mapping = published(B, extra=(private.to_dict(),))
    assert refusal(JwkSet.parse, mapping) == JoseErrorCode.UNUSABLE_KEY
    assert refusal(JwkSet, [B.public(), private]) == JoseErrorCode.UNUSABLE_KEY


@pytest.mark.parametrize(
    "leak",
    [{"kty": "AKP", "priv": "AA"}, {"kty": "RSA", "p": "AA"}, {"kty": "oct"}, {"kty": "none", "k": "AA"}],
)
def test_a_private_member_is_noticed_also_in_a_key_we_cannot_use(leak: dict[str, str]) -> None:
    assert refusal(JwkSet.parse, {"keys": [leak]}) == JoseErrorCode.UNUSABLE_KEY


def test_a_set_is_published_without_anything_private() -> None:
    keys = JwkSet([A.public(), NAMELESS.public()])
    assert keys.to_dict() == published(A, NAMELESS)
    assert list(JwkSet.parse(keys.to_dict())) == list(keys)
