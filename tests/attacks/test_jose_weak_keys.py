"""The attacker gets a weak key into a key set (RFC 8725 sections 3.4 and 3.5, RFC 7518 sections 3.2 and 3.3)."""

import math
from typing import Any

import pytest

from mapae.jose import base64url, rsa_modulus
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from tests.jose.forge import key, refusal

P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
ED25519_P = 2**255 - 19
MODULUS = int.from_bytes(base64url.decode(key("RS256").to_dict()["n"]))


def number(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8))


def rsa(n: int = MODULUS, e: int = 65537) -> dict[str, Any]:
    return {"kty": "RSA", "n": number(n), "e": number(e)}


def ec(crv: str, size: int, x: int, y: int) -> dict[str, Any]:
    return {
        "kty": "EC",
        "crv": crv,
        "x": base64url.encode(x.to_bytes(size)),
        "y": base64url.encode(y.to_bytes(size)),
    }


def okp(y: int, sign: int = 0) -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": base64url.encode((y | sign << 255).to_bytes(32, "little")),
    }


def roca(bits: int = 2048) -> int:
    """A modulus as the broken generator makes them: both factors are k·M + (65537^a mod M)."""
    primorial = math.prod(n for n in range(2, 702) if all(n % d for d in range(2, n)))
    k = (1 << bits // 2) // primorial - 1
    p, q = ((k - a) * primorial + pow(65537, a, primorial) for a in (12345, 678))
    return p * q


def refused(members: dict[str, Any]) -> None:
    """Unusable alone; left out of a set, where its neighbours stay."""
    assert refusal(Jwk.parse, members) == JoseErrorCode.UNUSABLE_KEY
    good = key("ES256").public()
    assert list(JwkSet.parse({"keys": [members, good.to_dict()]})) == [good]


@pytest.mark.parametrize("bits", [8, 512, 1024, 2040, 2047])
def test_a_small_modulus(bits: int) -> None:
    """RFC 7518 section 3.3: 2048 bits or larger MUST be used."""
    refused(rsa(n=MODULUS >> (2048 - bits) | 1))


def test_a_modulus_that_only_costs_time() -> None:
    """RFC 8725 section 3.5 asks for strong keys; more bits than OpenSSL takes are none."""
    refused(rsa(n=2**16384 + 1))
    Jwk.parse(rsa(n=2**16383 + 2**4000 + 1))


@pytest.mark.parametrize("e", [1, 2, 4, 65536, 2**64, 2**64 + 1, 2**2000 + 1])
def test_a_bad_exponent(e: int) -> None:
    """RFC 8017 section 3.1; e = 1 makes every text its own signature."""
    refused(rsa(e=e))


@pytest.mark.parametrize("e", [3, 17, 65537, 2**32 + 1])
def test_a_good_exponent(e: int) -> None:
    Jwk.parse(rsa(e=e))


def test_an_even_modulus() -> None:
    """RFC 8017 section 3.1: the primes are odd."""
    refused(rsa(n=MODULUS + 1))


def test_a_modulus_of_the_broken_generator() -> None:
    """CVE-2017-15361: factored from the public key alone."""
    modulus = roca()
    assert modulus.bit_length() == 2048
    assert rsa_modulus.has_roca_fingerprint(modulus)
    refused(rsa(n=modulus))
    assert not rsa_modulus.has_roca_fingerprint(MODULUS)
    Jwk.parse(rsa(n=modulus + 2))


@pytest.mark.parametrize(
    "members",
    [
        ec("P-256", 32, 1, 1),
        ec("P-256", 32, 0, 0),
        ec("P-256", 32, 5, P256 - 1),
        ec("P-256", 32, P256, 0),
        ec("P-256", 32, 2**256 - 1, 2**256 - 1),
        ec("P-384", 48, 1, 1),
        ec("P-521", 66, 1, 1),
        ec("P-521", 66, 2**521 - 1, 0),
    ],
)
def test_a_point_off_the_curve(members: dict[str, Any]) -> None:
    """RFC 8725 section 3.4: inputs MUST be validated."""
    refused(members)


def test_a_coordinate_that_is_right_only_modulo_the_prime() -> None:
    """RFC 7518 section 6.2.1.2; x = 5 is on P-256, so x = 5 + p would be the same point in other words."""
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    square = (5**3 - 3 * 5 + b) % P256
    y = pow(square, (P256 + 1) // 4, P256)
    assert y * y % P256 == square
    Jwk.parse(ec("P-256", 32, 5, y))
    refused(ec("P-256", 32, 5 + P256, y))


@pytest.mark.parametrize("size", [31, 33, 64])
def test_a_coordinate_of_another_length(size: int) -> None:
    """RFC 7518 section 6.2.1.2: the full size of a coordinate."""
    good = key("ES256").public().to_dict()
    for name in ("x", "y"):
        raw = base64url.decode(good[name])
        refused({**good, name: base64url.encode(raw[:size] if size < 32 else raw.rjust(size, b"\0"))})


def _order_eight() -> int:
    """y of a point of order 8: a root of d·y⁴ + 2y² - 1."""
    d = -121665 * pow(121666, -1, ED25519_P) % ED25519_P
    root = pow(1 + d, (ED25519_P + 3) // 8, ED25519_P)
    if root * root % ED25519_P != (1 + d) % ED25519_P:
        root = root * pow(2, (ED25519_P - 1) // 4, ED25519_P) % ED25519_P
    for square in ((root - 1) * pow(d, -1, ED25519_P), (-root - 1) * pow(d, -1, ED25519_P)):
        y = pow(square, (ED25519_P + 3) // 8, ED25519_P)
        for candidate in (y, y * pow(2, (ED25519_P - 1) // 4, ED25519_P) % ED25519_P):
            if (candidate * candidate - square) % ED25519_P == 0:
                return candidate
    raise AssertionError("no point of order 8")


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [0, 1, ED25519_P - 1, _order_eight(), ED25519_P - _order_eight()])
def test_an_ed25519_key_of_small_order(y: int, sign: int) -> None:
    """RFC 8725 section 3.4; under such a key one signature fits one text in eight, or all of them."""
    refused(okp(y, sign))


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [*range(ED25519_P, 2**255, 3), 2**255 - 1])
def test_an_ed25519_key_in_another_encoding(y: int, sign: int) -> None:
    """RFC 8032 section 5.1.3, step 1: y below the prime."""
    refused(okp(y, sign))


def test_an_ed25519_key_off_the_curve() -> None:
    """RFC 8032 section 5.1.3, step 3."""
    refused(okp(2))


@pytest.mark.parametrize("size", [0, 1, 16, 31])
def test_a_short_shared_secret(size: int) -> None:
    """RFC 7518 section 3.2: a key of the size of the hash output or larger MUST be used."""
    members = {"kty": "oct", "k": base64url.encode(bytes(size))}
    assert refusal(Jwk.parse, members) == JoseErrorCode.UNUSABLE_KEY
