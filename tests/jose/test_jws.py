"""jws.py: the compact form."""

from typing import Any

import pytest

from mapae.jose import base64url, jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from tests.jose.forge import PAYLOAD, accept, key, refusal, signed, unsigned

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


@each_algorithm
def test_what_was_signed_verifies_and_comes_back_as_it_was(algorithm: str) -> None:
    private = key(algorithm)
    token = jws.sign(PAYLOAD, private, algorithm=algorithm, typ="at+jwt", extra={"x": [1]})
    found = accept(token, private, algorithm)
    assert found == accept(token.encode(), private, algorithm)
    assert found.payload == PAYLOAD
    assert dict(found.header) == {"alg": algorithm, "typ": "at+jwt", "kid": private.kid, "x": (1,)}


@each_algorithm
def test_another_key_of_the_same_kind_does_not_verify(algorithm: str) -> None:
    token = jws.sign(PAYLOAD, Jwk.generate(algorithm), algorithm=algorithm)
    assert refusal(accept, token, key(algorithm), algorithm) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("payload", [b"", b"\0", b"\xff" * 100])
def test_the_payload_may_be_any_bytes(payload: bytes) -> None:
    token = jws.sign(payload, key("Ed25519"), algorithm="Ed25519")
    assert accept(token, key("Ed25519")).payload == payload


def test_extra_members_do_not_replace_those_of_the_key() -> None:
    extra = {"alg": "none", "kid": "x", "typ": "x"}
    header = jws.split(jws.sign(b"", key("ES256"), algorithm="ES256", typ="JWT", extra=extra)).header
    assert header == {"alg": "ES256", "kid": key("ES256").kid, "typ": "JWT"}


def test_signing_needs_a_private_key_of_the_algorithm() -> None:
    assert refusal(jws.sign, b"", key("ES256").public(), algorithm="ES256") == JoseErrorCode.UNUSABLE_KEY
    assert refusal(jws.sign, b"", key("ES256"), algorithm="ES384") == JoseErrorCode.UNUSABLE_KEY
    assert refusal(jws.sign, b"", key("ES256"), algorithm="none") == JoseErrorCode.ALGORITHM_REFUSED


def test_only_what_the_caller_allows_verifies() -> None:
    token = jws.sign(b"", key("ES256"), algorithm="ES256")
    for allowed in [(), ("ES384",), ("none", "EdDSA")]:
        assert refusal(jws.verify, jws.split(token), key("ES256"), allowed) == JoseErrorCode.ALGORITHM_REFUSED


def test_a_caller_cannot_allow_an_algorithm_that_does_not_exist() -> None:
    found = jws.split(unsigned({"alg": "none"}) + ".")
    assert refusal(jws.verify, found, key("ES256"), ("none",)) == JoseErrorCode.ALGORITHM_REFUSED


def test_the_length_is_looked_at_before_anything_else() -> None:
    token = jws.sign(b"a" * 6200, key("ES256"), algorithm="ES256")
    assert refusal(jws.split, token) == JoseErrorCode.MALFORMED
    assert jws.split(token, max_length=len(token)).payload == b"a" * 6200
    assert refusal(jws.split, token, max_length=len(token) - 1) == JoseErrorCode.MALFORMED
    assert refusal(jws.split, "é" * 9000) == JoseErrorCode.MALFORMED


def test_one_reader_of_a_header_cannot_change_it_for_the_next() -> None:
    token = signed({"alg": "ES256", "x": {"y": [1, {"z": 2}]}}, by=key("ES256"))
    header: Any = jws.split(token).header
    for level in (header, header["x"], header["x"]["y"][1]):
        with pytest.raises(TypeError):
            level["alg"] = "none"
    with pytest.raises(TypeError):
        header["x"]["y"][0] = 0
    assert jws.split(token).header == {"alg": "ES256", "x": {"y": (1, {"z": 2})}}


def test_a_header_too_long_for_the_cache_is_read_all_the_same() -> None:
    header = {"alg": "ES256", "x": "y" * 1000}
    assert accept(signed(header, by=key("ES256")), key("ES256")).header == header


@each_algorithm
def test_a_signature_of_another_length_is_refused(algorithm: str) -> None:
    token = jws.sign(b"", key(algorithm), algorithm=algorithm)
    head, _, signature = token.rpartition(".")
    raw = base64url.decode(signature)
    for other in (b"", raw[:-1], raw[1:], raw + b"\0", b"\0" + raw, raw + raw):
        forged = f"{head}.{base64url.encode(other)}"
        assert refusal(accept, forged, key(algorithm), algorithm) == JoseErrorCode.BAD_SIGNATURE
