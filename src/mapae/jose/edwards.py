"""Which Ed25519 public keys are fit to verify with (RFC 8032 section 5.1.3, RFC 8725 section 3.4)."""

from typing import Final

from mapae.jose.errors import unusable_key

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def judge(encoded: bytes) -> None:
    """Refuse 32 octets that are no canonical encoding of a point, or one of the eight of small order.

    Under a key of small order a signature that fits is no proof that anybody signed.

    Raises:
        JoseError: UNUSABLE_KEY.

    Does not check: that the point has no component of small order beside a large one.
    """
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= _P:
        raise unusable_key("the point is not in its canonical encoding")
    y2 = y * y % _P
    numerator, denominator = y2 - 1, _D * y2 + 1
    # Euler's criterion on x² = numerator / denominator; the product is a square when the quotient is.
    if pow(numerator * denominator, (_P - 1) // 2, _P) not in (0, 1):
        raise unusable_key("the point is not on the curve")
    # Orders 1 and 2 have y² = 1, order 4 has y = 0. Order 8 doubles to y = 0, so y² = -x²; with this
    # the curve's equation becomes d·y⁴ + 2y² - 1 = 0.
    if y2 * (y2 - 1) * (_D * y2 * y2 + 2 * y2 - 1) % _P == 0:
        raise unusable_key("the point has small order")
