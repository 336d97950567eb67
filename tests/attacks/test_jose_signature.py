"""The attacker makes a signature without the key (RFC 7518 sections 3.4 and 3.5, RFC 8032 section 5.1.7,
CVE-2022-21449)."""

import itertools

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from mapae.jose import base64url, jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseErrorCode
from tests.jose.forge import PAYLOAD, accept, key, refusal, unsigned

#: order of the group and length of a number, for each algorithm
CURVES = {
    "ES256": (0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551, 32),
    "ES384": (
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        48,
    ),
    "ES512": (
        2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
        66,
    ),
}
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def forged(algorithm: str, signature: bytes) -> str:
    return f"{unsigned({'alg': algorithm})}.{base64url.encode(signature)}"


def real(algorithm: str) -> bytes:
    text = unsigned({"alg": algorithm})
    return ALGORITHMS[algorithm].sign(key(algorithm).private_key, text.encode())


@pytest.mark.parametrize("algorithm", CURVES)
def test_numbers_at_the_edge_of_the_group(algorithm: str) -> None:
    """CVE-2022-21449: r = s = 0 was good for every text under every key."""
    order, size = CURVES[algorithm]
    edges = (0, 1, order - 1, order, order + 1, 2 ** (8 * size) - 1)
    for r, s in itertools.product(edges, repeat=2):
        token = forged(algorithm, r.to_bytes(size) + s.to_bytes(size))
        assert refusal(accept, token, key(algorithm)) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_real_signature_with_the_order_added(algorithm: str) -> None:
    """RFC 7518 section 3.4, FIPS 186-5 section 6.4.2: r and s are smaller than the order."""
    order, size = CURVES[algorithm]
    good = real(algorithm)
    accept(forged(algorithm, good), key(algorithm))
    r, s = int.from_bytes(good[:size]), int.from_bytes(good[size:])
    for numbers in ((r + order, s), (r, s + order), (order - r, s)):
        if all(number < 2 ** (8 * size) for number in numbers):
            token = forged(algorithm, b"".join(number.to_bytes(size) for number in numbers))
            assert refusal(accept, token, key(algorithm)) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", CURVES)
def test_the_twin_with_the_other_s_verifies_so_nobody_may_key_on_token_bytes(algorithm: str) -> None:
    """RFC 7518 section 3.4 allows both; RFC 9449 section 11.1 therefore counts `jti`."""
    order, size = CURVES[algorithm]
    good = real(algorithm)
    s = int.from_bytes(good[size:])
    accept(forged(algorithm, good[:size] + (order - s).to_bytes(size)), key(algorithm))


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_signature_in_der(algorithm: str) -> None:
    """RFC 7518 section 3.4: R and S as octets of full length, not ASN.1."""
    text = unsigned({"alg": algorithm})
    private = key(algorithm).private_key
    digest = {"ES256": hashes.SHA256(), "ES384": hashes.SHA384(), "ES512": hashes.SHA512()}[algorithm]
    der = private.sign(
        text.encode(),
        ec.ECDSA(digest),
    )
    assert refusal(accept, forged(algorithm, der), key(algorithm)) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("times", [1, 2, 8, 15])
def test_an_ed25519_signature_with_the_order_added(times: int) -> None:
    """RFC 8032 section 5.1.7: S out of 0 <= S < L is invalid."""
    good = real("Ed25519")
    s = int.from_bytes(good[32:], "little") + times * ED25519_ORDER
    token = forged("Ed25519", good[:32] + s.to_bytes(32, "little"))
    assert refusal(accept, token, key("Ed25519")) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    "r", [bytes(32), (1).to_bytes(32, "little"), (2**255 - 18).to_bytes(32, "little"), b"\xff" * 32]
)
@pytest.mark.parametrize("s", [bytes(32), (1).to_bytes(32, "little")])
def test_an_ed25519_signature_of_a_small_or_no_point(r: bytes, s: bytes) -> None:
    """RFC 8032 section 5.1.7, step 1."""
    assert refusal(accept, forged("Ed25519", r + s), key("Ed25519")) == JoseErrorCode.BAD_SIGNATURE


def test_an_ed448_signature_under_an_ed25519_key() -> None:
    """RFC 8037 section 3.1: the curve of the key decides."""
    assert refusal(accept, forged("EdDSA", bytes(114)), key("EdDSA")) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    "scheme",
    [
        padding.PKCS1v15(),
        padding.PSS(padding.MGF1(hashes.SHA256()), 0),
        padding.PSS(padding.MGF1(hashes.SHA256()), 20),
        padding.PSS(padding.MGF1(hashes.SHA256()), 31),
        padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH),
        padding.PSS(padding.MGF1(hashes.SHA1()), 32),
        padding.PSS(padding.MGF1(hashes.SHA384()), 32),
    ],
)
def test_rsa_pss_with_other_parameters(scheme: padding.AsymmetricPadding) -> None:
    """RFC 7518 section 3.5: salt as long as the hash, MGF1 with the same hash."""
    text = unsigned({"alg": "PS256"})
    signature = key("PS256").private_key.sign(text.encode(), scheme, hashes.SHA256())
    assert refusal(accept, forged("PS256", signature), key("PS256")) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_an_rsa_signature_that_is_no_number_below_the_modulus(algorithm: str) -> None:
    """RFC 8017 sections 8.1.2 and 8.2.2, step 1, and section 5.2.2."""
    modulus = base64url.decode(key(algorithm).to_dict()["n"])
    for signature in (bytes(256), modulus, b"\xff" * 256, b"\1" * 255, bytes(257), b"\0" + real(algorithm)):
        token = forged(algorithm, signature)
        assert refusal(accept, token, key(algorithm)) == JoseErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_signature_over_another_payload(algorithm: str) -> None:
    """RFC 7515 section 5.2, step 8."""
    token = jws.sign(PAYLOAD, key(algorithm), algorithm=algorithm)
    head, _, signature = token.split(".")
    payload = base64url.encode(b'{"sub":"mallory"}')
    assert refusal(accept, f"{head}.{payload}.{signature}", key(algorithm)) == JoseErrorCode.BAD_SIGNATURE
