"""What depends on the `kty` of a JWK: read, judged, made (RFC 7518 section 6, RFC 8037 section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mapae.jose import base64url, edwards, rsa_modulus
from mapae.jose.algorithms import Algorithm
from mapae.jose.errors import JoseError, unusable_key


@dataclass(frozen=True, slots=True)
class Material:
    """What signs and verifies, and the members it was read from, in base64url, without `kty` and `crv`."""

    crv: str | None
    public_members: Mapping[str, str]
    private_members: Mapping[str, str]
    public_key: Any = field(compare=False)
    private_key: Any = field(compare=False, default=None)

    def public(self) -> Self:
        """The same without what is private."""
        return replace(self, private_members=MappingProxyType({}), private_key=None)


@dataclass(frozen=True, slots=True)
class _Curve:
    curve: ec.EllipticCurve
    size: int
    prime: int


_CURVES: Final = {
    "P-256": _Curve(ec.SECP256R1(), 32, 2**256 - 2**224 + 2**192 + 2**96 - 1),
    "P-384": _Curve(ec.SECP384R1(), 48, 2**384 - 2**128 - 2**96 + 2**32 - 1),
    "P-521": _Curve(ec.SECP521R1(), 66, 2**521 - 1),
}
_RSA_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi")
_RSA_BITS: Final = 2048
_MIN_SECRET_BYTES: Final = 32  # of HS256, the smallest there is

#: Members that hold a secret, in any kind of key this library or a newer one knows.
PRIVATE_MEMBERS: Final = frozenset({*_RSA_PRIVATE, "oth", "k", "priv"})


def read(kty: str, members: Mapping[str, Any]) -> Material:
    """The key that the members of a JWK of this `kty` describe.

    Raises:
        JoseError: UNUSABLE_KEY when a member is missing or not in its one canonical form, when the
            key is weak, or when private and public part are not of one key.
    """
    reader = _READERS.get(kty)
    if reader is None:
        raise unusable_key("kty is none we know")
    return reader(members)


def generate(algorithm: Algorithm) -> dict[str, str]:
    """The members, `kty` and `crv` among them, of a new private key for `algorithm`."""
    return {"kty": algorithm.kty, **_GENERATORS[algorithm.kty](algorithm)}


def _ec(members: Mapping[str, Any]) -> Material:
    crv = members.get("crv")
    row = _CURVES.get(crv) if isinstance(crv, str) else None
    if row is None:
        raise unusable_key("crv is none we know for kty EC")
    # RFC 7518 section 6.2.1.2: the length of a coordinate MUST be the full size of the curve's field.
    x, y = (int.from_bytes(_octets(members, name, row.size)) for name in ("x", "y"))
    if x >= row.prime or y >= row.prime:
        raise unusable_key("a coordinate is not smaller than the field's prime")
    try:
        public_key = ec.EllipticCurvePublicNumbers(x, y, row.curve).public_key()
    except ValueError:
        raise unusable_key("the point is not on the curve") from None
    private_key = None
    if "d" in members:
        d = int.from_bytes(_octets(members, "d", row.size))
        try:
            private_key = ec.derive_private_key(d, row.curve)
        except ValueError:
            raise unusable_key("d is out of range") from None
        if private_key.public_key() != public_key:
            raise unusable_key("d is not the private part of this point")
    return _material(members, crv, ("x", "y"), ("d",), public_key, private_key)


def _okp(members: Mapping[str, Any]) -> Material:
    crv = members.get("crv")
    if crv != "Ed25519":
        raise unusable_key("crv is none we know for kty OKP")
    x = _octets(members, "x", 32)
    edwards.judge(x)
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(x)
    private_key = None
    if "d" in members:
        private_key = ed25519.Ed25519PrivateKey.from_private_bytes(_octets(members, "d", 32))
        if private_key.public_key() != public_key:
            raise unusable_key("d is not the private part of this point")
    return _material(members, crv, ("x",), ("d",), public_key, private_key)


def _rsa(members: Mapping[str, Any]) -> Material:
    n, e = _integer(members, "n"), _integer(members, "e")
    rsa_modulus.judge(n, e)
    if "oth" in members:
        raise unusable_key("an RSA key of more than two primes")
    public_numbers = rsa.RSAPublicNumbers(e, n)
    private_key = None
    try:
        public_key = public_numbers.public_key()
        if "d" in members:
            private_key = _rsa_private_numbers(members, public_numbers).private_key()
    except ValueError:
        raise unusable_key("the numbers are not those of one RSA key") from None
    return _material(members, None, ("n", "e"), _RSA_PRIVATE, public_key, private_key)


def _rsa_private_numbers(
    members: Mapping[str, Any], public_numbers: rsa.RSAPublicNumbers
) -> rsa.RSAPrivateNumbers:
    # RFC 7518 section 6.3.2: a producer SHOULD include all of them; d alone would have to be factored.
    d, p, q, dp, dq, qi = (_integer(members, name) for name in _RSA_PRIVATE)
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public_numbers)


def _oct(members: Mapping[str, Any]) -> Material:
    secret = _octets(members, "k")
    # RFC 7518 section 3.2; larger hashes ask for more, which Jwk looks at.
    if len(secret) < _MIN_SECRET_BYTES:
        raise unusable_key(f"a shared key has {_MIN_SECRET_BYTES} bytes or more")
    return _material(members, None, (), ("k",), secret, secret)


def _material(
    members: Mapping[str, Any],
    crv: str | None,
    public_names: tuple[str, ...],
    private_names: tuple[str, ...],
    *keys: Any,
) -> Material:
    def chosen(names: tuple[str, ...]) -> Mapping[str, str]:
        return MappingProxyType({name: members[name] for name in names if name in members})

    return Material(crv, chosen(public_names), chosen(private_names), *keys)


def _octets(members: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    text = members.get(name)
    if not isinstance(text, str):
        raise unusable_key(f"{name} is missing or no string")
    try:
        octets = base64url.decode(text)
    except JoseError as error:
        raise unusable_key(f"{name} is {error.detail}") from None
    if size is not None and len(octets) != size:
        raise unusable_key(f"{name} has {size} octets")
    return octets


def _integer(members: Mapping[str, Any], name: str) -> int:
    octets = _octets(members, name)
    # RFC 7518 section 2, Base64urlUInt: MUST utilize the minimum number of octets.
    if not octets or octets[0] == 0:
        raise unusable_key(f"{name} is zero or begins with a zero octet")
    return int.from_bytes(octets)


def _new_ec(algorithm: Algorithm) -> dict[str, str]:
    assert algorithm.crv is not None
    row = _CURVES[algorithm.crv]
    numbers = ec.generate_private_key(row.curve).private_numbers()
    point = numbers.public_numbers
    values = {"x": point.x, "y": point.y, "d": numbers.private_value}
    return {
        "crv": algorithm.crv,
        **{name: base64url.encode(value.to_bytes(row.size)) for name, value in values.items()},
    }


def _new_okp(algorithm: Algorithm) -> dict[str, str]:
    assert algorithm.crv is not None
    key = ed25519.Ed25519PrivateKey.generate()
    return {
        "crv": algorithm.crv,
        "x": base64url.encode(key.public_key().public_bytes_raw()),
        "d": base64url.encode(key.private_bytes_raw()),
    }


def _new_rsa(_: Algorithm) -> dict[str, str]:
    numbers = rsa.generate_private_key(65537, _RSA_BITS).private_numbers()
    public = numbers.public_numbers
    values = {
        "n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
        "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
    }  # fmt: skip
    return {
        name: base64url.encode(value.to_bytes((value.bit_length() + 7) // 8))
        for name, value in values.items()
    }


def _new_oct(algorithm: Algorithm) -> dict[str, str]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    # This room may not ask the system for randomness itself; 64 bytes are enough for the longest hash.
    secret = AESGCM.generate_key(256) + AESGCM.generate_key(256)
    return {"k": base64url.encode(secret[: algorithm.min_key_bytes])}


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Material]]] = {
    "EC": _ec,
    "OKP": _okp,
    "RSA": _rsa,
    "oct": _oct,
}
_GENERATORS: Final[Mapping[str, Callable[[Algorithm], dict[str, str]]]] = {
    "EC": _new_ec,
    "OKP": _new_okp,
    "RSA": _new_rsa,
    "oct": _new_oct,
}
