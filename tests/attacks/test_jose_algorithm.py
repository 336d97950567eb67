"""The attacker chooses the algorithm (RFC 8725 sections 2.1, 3.1 and 3.2, RFC 7515 section 4.1.1)."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mapae.jose import base64url, jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from tests.jose.forge import PAYLOAD, accept, key, refusal, signed, unsigned

EVERYTHING = tuple(ALGORITHMS)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "none ", " none", "none\0", "\uff4eone"])
@pytest.mark.parametrize("signature", ["", "AA", base64url.encode(bytes(64))])
def test_no_signature_at_all(alg: str, signature: str) -> None:
    """RFC 8725 section 3.2, RFC 7518 section 3.6."""
    token = f"{unsigned({'alg': alg})}.{signature}"
    keys = JwkSet([key("ES256").public()])
    for allowed in (EVERYTHING, (*EVERYTHING, alg)):
        assert refusal(accept, token, key("ES256"), *allowed) == JoseErrorCode.ALGORITHM_REFUSED
    assert refusal(keys.key_for, jws.split(token).header, EVERYTHING) == JoseErrorCode.ALGORITHM_REFUSED


@pytest.mark.parametrize(
    "alg", ["rs256", "RS256\0", "RS256 ", "Rs256", "RS2567", "", "HS1", "RSA1_5", "dir", "ES256K"]
)
def test_a_name_that_is_nearly_one(alg: str) -> None:
    """RFC 7515 section 4.1.1: a case-sensitive string."""
    token = signed({"alg": alg}, by=key("RS256"))
    assert refusal(accept, token, key("RS256"), *EVERYTHING) == JoseErrorCode.ALGORITHM_REFUSED


@pytest.mark.parametrize("alg", [None, 256, True, ["RS256"], {"RS256": 1}, ["none", "RS256"]])
def test_a_name_that_is_no_string(alg: Any) -> None:
    """RFC 7515 section 4.1.1."""
    token = signed({"alg": alg}, by=key("RS256"))
    assert refusal(accept, token, key("RS256"), *EVERYTHING) == JoseErrorCode.MALFORMED


def test_no_name_at_all() -> None:
    """RFC 7515 section 4.1.1: MUST be present."""
    token = signed({"typ": "JWT"}, by=key("RS256"))
    assert refusal(accept, token, key("RS256"), *EVERYTHING) == JoseErrorCode.MALFORMED


def _texts_of_the_public_key(public: Jwk) -> list[bytes]:
    raw = public.public_key
    spki = PublicFormat.SubjectPublicKeyInfo
    as_pem = raw.public_bytes(Encoding.PEM, spki)
    jwk = public.to_dict()
    numbers = [base64url.decode(jwk[name]) for name in ("n", "x") if name in jwk]
    return [
        as_pem,
        as_pem.strip(),
        raw.public_bytes(Encoding.DER, spki),
        json.dumps(jwk).encode(),
        json.dumps(jwk, separators=(",", ":")).encode(),
        *numbers,
        *(jwk[name].encode() for name in ("n", "x") if name in jwk),
    ]


@pytest.mark.parametrize("victim", ["RS256", "PS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("mac", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("alg_in_key", [True, False])
def test_the_public_key_as_a_shared_secret(victim: str, mac: str, alg_in_key: bool) -> None:
    """RFC 8725 section 2.1, CVE-2022-29217: RS256 becomes HS256, keyed with what everybody can read."""
    members = key(victim).public().to_dict()
    if not alg_in_key:
        del members["alg"]
    public = Jwk.parse(members)
    keys = JwkSet([public])
    for secret in _texts_of_the_public_key(public):
        text = unsigned({"alg": mac, "kid": public.kid})
        forged = f"{text}.{base64url.encode(ALGORITHMS[mac].sign(secret, text.encode()))}"
        assert refusal(accept, forged, public, *EVERYTHING) == JoseErrorCode.UNUSABLE_KEY
        header = jws.split(forged).header
        assert refusal(keys.key_for, header, EVERYTHING) == JoseErrorCode.UNKNOWN_KEY


@pytest.mark.parametrize("honest", ALGORITHMS)
@pytest.mark.parametrize("claimed", ALGORITHMS)
def test_a_signature_of_one_algorithm_under_the_name_of_another(honest: str, claimed: str) -> None:
    """RFC 8725 section 3.1: each key MUST be used with exactly one algorithm."""
    if honest == claimed:
        accept(signed({"alg": claimed}, by=key(honest)), key(honest), *EVERYTHING)
        return
    token = signed({"alg": claimed}, by=key(honest))
    assert refusal(accept, token, key(honest), *EVERYTHING) == JoseErrorCode.UNUSABLE_KEY


def test_a_good_algorithm_the_caller_does_not_want() -> None:
    """RFC 8725 section 3.1: the caller's list decides, not the token."""
    token = jws.sign(PAYLOAD, key("HS256"), algorithm="HS256")
    assert refusal(accept, token, key("HS256"), "ES256") == JoseErrorCode.ALGORITHM_REFUSED
