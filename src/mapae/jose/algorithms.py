"""The signature algorithms this library knows, one row each (RFC 7518 section 3, RFC 8037, RFC 9864)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from mapae.jose.errors import JoseError, JoseErrorCode

_Sign = Callable[[Any, bytes], bytes]
_Verify = Callable[[Any, bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One value of `alg`, with the kind of key it takes and what it does with it.

    `sign(private_key, data)` returns the signature; `verify(public_key, data, signature)` returns
    nothing, or raises JoseError BAD_SIGNATURE. The keys are those of `Jwk.private_key` and
    `Jwk.public_key`; whether they fit the algorithm has been decided there.
    """

    name: str
    kty: str
    crv: str | None
    sign: _Sign
    verify: _Verify
    min_key_bytes: int = 0


def _bad_signature() -> JoseError:
    return JoseError(JoseErrorCode.BAD_SIGNATURE, "the signature is not this key's over this text")


def _hmac(name: str, hash_name: str, size: int) -> Algorithm:
    def sign(key: Any, data: bytes) -> bytes:
        import hmac  # brings a second OpenSSL; few share a key

        return hmac.digest(key, data, hash_name)

    def verify(key: Any, data: bytes, signature: bytes) -> None:
        import hmac

        if not hmac.compare_digest(hmac.digest(key, data, hash_name), signature):
            raise _bad_signature()

    # RFC 7518 section 3.2: a key of the same size as the hash output or larger MUST be used.
    return Algorithm(name, "oct", None, sign, verify, min_key_bytes=size)


def _rsa(name: str, scheme: padding.AsymmetricPadding, digest: hashes.HashAlgorithm) -> Algorithm:
    def sign(key: Any, data: bytes) -> bytes:
        signature: bytes = key.sign(data, scheme, digest)
        return signature

    def verify(key: Any, data: bytes, signature: bytes) -> None:
        try:
            key.verify(signature, data, scheme, digest)
        except InvalidSignature:
            raise _bad_signature() from None

    return Algorithm(name, "RSA", None, sign, verify)


def _pss(name: str, digest: hashes.HashAlgorithm) -> Algorithm:
    # RFC 7518 section 3.5: MGF1 with the same hash, and a salt of the size of the hash output.
    return _rsa(name, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)


def _ecdsa(name: str, crv: str, size: int, digest: hashes.HashAlgorithm) -> Algorithm:
    @cache
    def scheme() -> ec.ECDSA:  # not before it is needed: it loads much of cryptography
        return ec.ECDSA(digest)

    def sign(key: Any, data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, scheme()))
        return r.to_bytes(size) + s.to_bytes(size)

    def verify(key: Any, data: bytes, signature: bytes) -> None:
        # RFC 7518 section 3.4: R and S as octets of the full size, one after the other, and nothing else.
        if len(signature) != 2 * size:
            raise _bad_signature()
        try:
            key.verify(_der(signature, size), data, scheme())
        except InvalidSignature:
            raise _bad_signature() from None

    return Algorithm(name, "EC", crv, sign, verify)


def _der(signature: bytes, size: int) -> bytes:
    """R and S as ASN.1 has them (RFC 3279 section 2.2.3), which is what cryptography takes."""
    r, s = signature[:size].lstrip(b"\0"), signature[size:].lstrip(b"\0")
    if not r or r[0] > 127:
        r = b"\0" + r
    if not s or s[0] > 127:
        s = b"\0" + s
    body = b"\x02%c%b\x02%c%b" % (len(r), r, len(s), s)
    return b"\x30%c%b" % (len(body), body) if len(body) < 128 else b"\x30\x81%c%b" % (len(body), body)


def _ed25519(name: str) -> Algorithm:
    def sign(key: Any, data: bytes) -> bytes:
        signature: bytes = key.sign(data)
        return signature

    def verify(key: Any, data: bytes, signature: bytes) -> None:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            raise _bad_signature() from None

    return Algorithm(name, "OKP", "Ed25519", sign, verify)


#: Every algorithm, by the name it has in `alg`. What is not here (`none` first of all) does not exist.
ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    {
        row.name: row
        for row in (
            _ecdsa("ES256", "P-256", 32, hashes.SHA256()),
            _ecdsa("ES384", "P-384", 48, hashes.SHA384()),
            _ecdsa("ES512", "P-521", 66, hashes.SHA512()),
            _ed25519("Ed25519"),
            _ed25519("EdDSA"),
            _rsa("RS256", padding.PKCS1v15(), hashes.SHA256()),
            _rsa("RS384", padding.PKCS1v15(), hashes.SHA384()),
            _rsa("RS512", padding.PKCS1v15(), hashes.SHA512()),
            _pss("PS256", hashes.SHA256()),
            _pss("PS384", hashes.SHA384()),
            _pss("PS512", hashes.SHA512()),
            _hmac("HS256", "sha256", 32),
            _hmac("HS384", "sha384", 48),
            _hmac("HS512", "sha512", 64),
        )
    }
)
