"""Which RSA moduli are too weak to trust a signature by."""

from typing import Final

from mapae.jose.errors import unusable_key

_MIN_BITS: Final = 2048
# More bits than OpenSSL takes, or an exponent as long as the modulus, would only buy our time.
_MAX_BITS: Final = 16384
_MAX_EXPONENT_BITS: Final = 64

_ROCA_GENERATOR: Final = 65537
_ROCA_PRIMES: Final = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip


def judge(modulus: int, exponent: int) -> None:
    """Refuse a public RSA key that is too small, malformed, or made by the broken generator of ROCA.

    Raises:
        JoseError: UNUSABLE_KEY.

    Implements: RFC 7518 section 3.3 (2048 bits or larger), RFC 8725 section 3.5, CVE-2017-15361.
    Does not check: that the modulus is a product of two primes, or shared with another key.
    """
    if not _MIN_BITS <= modulus.bit_length() <= _MAX_BITS:
        raise unusable_key(f"an RSA modulus has {_MIN_BITS} to {_MAX_BITS} bits")
    if modulus % 2 == 0:
        raise unusable_key("an RSA modulus is odd")
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > _MAX_EXPONENT_BITS:
        raise unusable_key(f"an RSA exponent is odd, 3 or more, and has at most {_MAX_EXPONENT_BITS} bits")
    if has_roca_fingerprint(modulus):
        raise unusable_key("the RSA modulus comes from the broken generator of CVE-2017-15361")


def has_roca_fingerprint(modulus: int) -> bool:
    """Whether `modulus` looks like one of the generator of CVE-2017-15361.

    Its primes are k·M + (65537^a mod M), M a product of the first primes; so for each of those the
    modulus is a power of 65537 too. One in 2^27 other moduli is as well.
    """
    return all(modulus % prime in powers for prime, powers in _ROCA_POWERS)


def _powers(prime: int) -> frozenset[int]:
    powers = set()
    power = 1
    while power not in powers:
        powers.add(power)
        power = power * _ROCA_GENERATOR % prime
    return frozenset(powers)


_ROCA_POWERS: Final = tuple((prime, _powers(prime)) for prime in _ROCA_PRIMES)
