"""Presenting something else than an access token for this API: RFC 8725 sections 2.1, 3.1, 3.8 and 3.12."""

from typing import Any

import pytest

from mapae import TokenRejected, Verifier
from mapae.jose import base64url, jws, jwt, strict_json
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.testing import Issuer

AUDIENCE = "https://api.example.com"
ISSUER = Issuer(audience=AUDIENCE)
VERIFIER = ISSUER.verifier()
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _refused(raw: str, verifier: Verifier = VERIFIER) -> str:
    with pytest.raises(TokenRejected) as refused:
        verifier.verify(raw)
    assert raw not in str(refused.value)
    return refused.value.code


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_no_spelling_of_none_is_an_algorithm(alg: str) -> None:
    assert _refused(ISSUER.token(alg=alg)) == "bad_signature"


def test_the_signature_of_a_good_token_does_not_serve_none() -> None:
    header, payload, signature = ISSUER.token().split(".")
    unsigned = base64url.encode(strict_json.dump({**jws.split(ISSUER.token()).header, "alg": "none"}))

    assert _refused(f"{unsigned}.{payload}.{signature}") == "bad_signature"
    assert _refused(f"{unsigned}.{payload}.") == "bad_signature"
    assert _refused(f"{header}.{payload}.") == "bad_signature"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519"])
def test_a_public_key_is_no_shared_secret(algorithm: str) -> None:
    issuer = Issuer(audience=AUDIENCE, algorithm=algorithm)

    assert _refused(issuer.token(alg="HS256"), issuer.verifier()) == "bad_signature"


@pytest.mark.parametrize(
    "typ",
    ["JWT", "jwt", "id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt", "rt+jwt", ""],
)
def test_another_kind_of_token_by_the_same_issuer_is_refused(typ: str) -> None:
    assert _refused(ISSUER.token(typ=typ)) == "wrong_type"


def test_an_id_token_is_refused_although_it_is_for_this_audience() -> None:
    raw = ISSUER.token(typ="JWT", claims={"nonce": "n", "client_id": None, "jti": None, "scope": None})

    assert _refused(raw) == "wrong_type"


def test_a_token_without_a_type_is_refused() -> None:
    key = Jwk.generate("ES256")
    verifier = ISSUER.verifier(keys=JwkSet([key.public()]))
    payload = jws.split(ISSUER.token()).payload

    assert _refused(jws.sign(payload, key, algorithm="ES256"), verifier) == "wrong_type"


@pytest.mark.parametrize(
    "kid", ["same", "../../dev/null", "' OR 1=1--", "http://169.254.169.254/", "a\r\nb", "a\x00"]
)
def test_an_issuer_with_the_same_key_and_kid_is_still_another(kid: str) -> None:
    key = Jwk.generate("ES256", kid=kid)
    verifier = ISSUER.verifier(keys=JwkSet([key.public()]))
    claims: dict[str, Any] = jwt.parse_claims(jws.split(ISSUER.token()).payload)

    assert verifier.verify(jwt.sign_claims(claims, key, typ="at+jwt")).subject == "alice"
    for iss in (
        "https://other.test",
        "https://issuer.test/",
        "https://issuer",
        "https://issuer.test.evil.com",
        "",
    ):
        assert (
            _refused(jwt.sign_claims({**claims, "iss": iss}, key, typ="at+jwt"), verifier) == "wrong_issuer"
        )


@pytest.mark.parametrize("member", ["jku", "x5u", "jwk", "x5c"])
def test_a_key_that_comes_with_the_token_is_not_used(member: str) -> None:
    mine = Jwk.generate("ES256")
    brought = {"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/", "x5c": ["AAAA"]}
    value = mine.public().to_dict() if member == "jwk" else brought[member]
    payload = jws.split(ISSUER.token()).payload

    raw = jws.sign(payload, mine, algorithm="ES256", typ="at+jwt", extra={member: value})

    assert _refused(raw) == "unknown_key"


def test_a_token_bound_to_a_key_is_not_accepted_from_just_anybody() -> None:
    for cnf in ({"jkt": "a"}, {"x5t#S256": "a"}, {}):
        assert _refused(ISSUER.token(claims={"cnf": cnf})) == "wrong_binding"


def test_the_twin_of_a_signature_does_not_escape_revocation() -> None:
    revoked: set[str] = set()
    verifier = ISSUER.verifier(revoked=lambda token: token.jti in revoked)
    raw = ISSUER.token()
    head, _, signature = raw.rpartition(".")
    r, s = base64url.decode(signature)[:32], int.from_bytes(base64url.decode(signature)[32:])
    twin = f"{head}.{base64url.encode(r + (P256_ORDER - s).to_bytes(32))}"

    assert verifier.verify(twin) == verifier.verify(raw)
    revoked.add(verifier.verify(raw).jti)

    assert _refused(twin, verifier) == "revoked"
    assert _refused(raw, verifier) == "revoked"


def test_another_spelling_of_a_good_token_is_refused_although_that_one_is_cached() -> None:
    raw = ISSUER.token()
    VERIFIER.verify(raw)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(raw[-1])
    unused_bit = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last + 1]

    for other in (raw[:-1] + unused_bit, raw + "=", raw + " ", raw + "\n", raw + ".", raw[:-1]):
        assert _refused(other) == "malformed"
