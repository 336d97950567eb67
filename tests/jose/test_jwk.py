"""jwk.py and key_material.py: keys are judged when they are loaded. Weak ones are in tests/attacks."""

from typing import Any

import pytest

from mapae.jose import base64url
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from tests.jose.forge import key, refusal

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)
each_asymmetric = pytest.mark.parametrize(
    "algorithm", [row.name for row in ALGORITHMS.values() if row.kty != "oct"]
)


def members(algorithm: str, **changed: Any) -> dict[str, Any]:
    """A good private key with other members; None takes one out."""
    changed = {**key(algorithm).to_dict(), **changed}
    return {name: value for name, value in changed.items() if value is not None}


@each_algorithm
def test_a_new_key_is_private_for_its_algorithm_alone_and_named_by_its_thumbprint(algorithm: str) -> None:
    new = key(algorithm)
    assert new.is_private
    assert new.alg == algorithm
    assert new.algorithms == {algorithm}
    assert new.kid == new.thumbprint()[:8]
    assert len(new.thumbprint()) == 43
    assert (new.kty, new.crv) == (ALGORITHMS[algorithm].kty, ALGORITHMS[algorithm].crv)


@each_algorithm
def test_a_key_survives_being_printed_and_parsed(algorithm: str) -> None:
    again = Jwk.parse(key(algorithm).to_dict())
    assert again == key(algorithm)
    assert hash(again) == hash(key(algorithm))


@each_asymmetric
def test_the_public_part_has_no_private_member_and_the_same_thumbprint(algorithm: str) -> None:
    public = key(algorithm).public()
    assert not public.is_private
    assert public.to_dict().keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi"})
    assert public == Jwk.parse(public.to_dict())
    assert public.thumbprint() == key(algorithm).thumbprint()
    assert public.kid == key(algorithm).kid


def test_a_shared_key_has_no_public_part() -> None:
    assert refusal(key("HS256").public) == JoseErrorCode.UNUSABLE_KEY


def test_a_kid_may_be_given() -> None:
    assert Jwk.generate("Ed25519", kid="2025-11").kid == "2025-11"


@pytest.mark.parametrize("algorithm", ["none", "", "es256", "ES256K"])
def test_no_key_is_made_for_an_algorithm_that_does_not_exist(algorithm: str) -> None:
    assert refusal(Jwk.generate, algorithm) == JoseErrorCode.ALGORITHM_REFUSED


@pytest.mark.parametrize(
    ("algorithm", "fitting"),
    [
        ("ES384", {"ES384"}),
        ("EdDSA", {"EdDSA", "Ed25519"}),
        ("RS256", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("HS256", {"HS256"}),
        ("HS384", {"HS256", "HS384"}),
        ("HS512", {"HS256", "HS384", "HS512"}),
    ],
)
def test_without_alg_a_key_is_for_all_that_fit_kind_curve_and_length(
    algorithm: str, fitting: set[str]
) -> None:
    assert Jwk.parse(members(algorithm, alg=None)).algorithms == fitting


def test_members_we_do_not_know_are_dropped() -> None:
    parsed = Jwk.parse(members("ES256", x5c=["…"], x5u="https://attacker.example/", exp=1))
    assert parsed == key("ES256")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "Ed25519", "HS256"])
def test_neither_repr_nor_str_shows_what_is_secret(algorithm: str) -> None:
    private = key(algorithm)
    shown = repr(private) + str(private) + f"{private}"
    assert all(
        private.to_dict()[name] not in shown for name in ("d", "k", "p", "q") if name in private.to_dict()
    )


@pytest.mark.parametrize(
    ("algorithm", "changed"),
    [
        ("ES256", {"kty": None}),
        ("ES256", {"kty": 1}),
        ("ES256", {"kty": "ec"}),
        ("ES256", {"kty": "RSA"}),
        ("ES256", {"kty": "OKP"}),
        ("ES256", {"crv": None}),
        ("ES256", {"crv": "P-384"}),
        ("ES256", {"crv": "secp256k1"}),
        ("ES256", {"crv": ["P-256"]}),
        ("ES256", {"alg": "ES384"}),
        ("ES256", {"alg": "ECDH-ES"}),
        ("ES256", {"alg": "none"}),
        ("ES256", {"alg": 1}),
        ("ES256", {"use": "enc"}),
        ("ES256", {"use": ["sig"]}),
        ("ES256", {"key_ops": "verify"}),
        ("ES256", {"key_ops": []}),
        ("ES256", {"key_ops": [1]}),
        ("ES256", {"key_ops": [["verify"]]}),
        ("ES256", {"key_ops": ["encrypt"]}),
        ("ES256", {"key_ops": ["verify", "encrypt"]}),
        ("ES256", {"key_ops": ["verify", "verify"]}),
        ("ES256", {"kid": 1}),
        ("ES256", {"x": None}),
        ("ES256", {"x": 1}),
        ("ES256", {"x": ""}),
        ("ES256", {"y": None}),
        ("ES256", {"d": ["a"]}),
        ("ES256", {"d": ""}),
        ("ES256", {"d": "A" * 43}),
        ("ES256", {"d": "_" * 42 + "8"}),
        ("Ed25519", {"crv": "Ed448"}),
        ("Ed25519", {"crv": "X25519"}),
        ("Ed25519", {"x": None}),
        ("Ed25519", {"x": "AA"}),
        ("Ed25519", {"d": "AA"}),
        ("RS256", {"n": None}),
        ("RS256", {"e": None}),
        ("RS256", {"e": ""}),
        ("RS256", {"q": None}),
        ("RS256", {"dp": "AQAB"}),
        ("RS256", {"oth": [{"r": "AQ", "d": "AQ", "t": "AQ"}]}),
        ("HS256", {"k": None}),
        ("HS256", {"k": ""}),
    ],
)
def test_a_member_that_is_missing_or_does_not_fit_makes_a_key_unusable(
    algorithm: str, changed: dict[str, Any]
) -> None:
    assert refusal(Jwk.parse, members(algorithm, **changed)) == JoseErrorCode.UNUSABLE_KEY


@each_algorithm
@pytest.mark.parametrize("damage", ["{}=", " {}", "{}\n", "+{}", "A{}", "AAAA{}"])
def test_numbers_have_one_spelling(algorithm: str, damage: str) -> None:
    for name, value in key(algorithm).to_dict().items():
        if name in {"kty", "crv", "alg", "use", "kid", "k"}:
            continue
        changed = members(algorithm, **{name: damage.format(value)})
        assert refusal(Jwk.parse, changed) == JoseErrorCode.UNUSABLE_KEY


@pytest.mark.parametrize(
    ("algorithm", "name"), [("ES256", "d"), ("ES512", "d"), ("Ed25519", "d"), ("RS256", "d"), ("RS256", "p")]
)
def test_the_private_part_must_be_that_of_the_public_one(algorithm: str, name: str) -> None:
    other = Jwk.generate(algorithm).to_dict()
    assert refusal(Jwk.parse, members(algorithm, **{name: other[name]})) == JoseErrorCode.UNUSABLE_KEY


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_shared_key_is_at_least_as_long_as_the_hash(algorithm: str, size: int) -> None:
    def parse(length: int) -> Jwk:
        return Jwk.parse({"kty": "oct", "alg": algorithm, "k": base64url.encode(bytes(length))})

    assert parse(size).algorithms == {algorithm}
    assert refusal(parse, size - 1) == JoseErrorCode.UNUSABLE_KEY


def test_key_ops_are_kept_and_say_what_a_key_may_do() -> None:
    signs = Jwk.parse(members("ES256", key_ops=["sign"]))
    assert signs.to_dict()["key_ops"] == ["sign"]
    signs.require("ES256", "sign")
    assert refusal(signs.require, "ES256", "verify") == JoseErrorCode.UNUSABLE_KEY
    assert signs.public().key_ops == ("verify",)
