"""One key: parsed and judged, printed, and its thumbprint (RFC 7517, RFC 7638)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from mapae.jose import base64url, key_material, strict_json
from mapae.jose.algorithms import ALGORITHMS, Algorithm
from mapae.jose.errors import JoseError, JoseErrorCode, unusable_key
from mapae.jose.key_material import Material

_DEFAULT_KID_LENGTH: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Jwk:
    """A key that has been judged fit to verify, and when it is private to sign, a signature.

    `algorithms` are the names it may be used with; `public_key` and `private_key` are what those
    algorithms take.
    """

    kty: str
    kid: str | None
    alg: str | None
    use: str | None
    key_ops: tuple[str, ...] | None
    algorithms: frozenset[str]
    _material: Material = field(hash=False)

    @classmethod
    def parse(cls, mapping: Mapping[str, Any]) -> Self:
        """The key that `mapping` describes; members that are none of ours are dropped.

        Raises:
            JoseError: UNUSABLE_KEY when it is weak, contradicts itself, or is not for signatures.

        Implements: RFC 7517 section 4, RFC 7518 sections 3 and 6, RFC 8037 section 2.
        Does not check: certificates (`x5c` and its kin), or that anybody vouches for the key.
        """
        kty = _text(mapping, "kty")
        if kty is None:
            raise unusable_key("kty is missing")
        alg, use, key_ops = _text(mapping, "alg"), _text(mapping, "use"), _key_ops(mapping)
        if use not in (None, "sig"):
            raise unusable_key("use is not sig")
        material = key_material.read(kty, mapping)
        algorithms = frozenset(row.name for row in ALGORITHMS.values() if _fits(row, kty, material))
        if alg is not None:
            algorithms &= {alg}
        if not algorithms:
            raise unusable_key("no algorithm fits kty, crv, alg and length of this key")
        return cls(kty, _text(mapping, "kid"), alg, use, key_ops, algorithms, material)

    @classmethod
    def generate(cls, algorithm: str, *, kid: str | None = None) -> Self:
        """A new private key for `algorithm`; `kid` is the start of its thumbprint if none is given.

        Raises:
            JoseError: ALGORITHM_REFUSED when there is no such algorithm.
        """
        row = ALGORITHMS.get(algorithm)
        if row is None:
            raise JoseError(JoseErrorCode.ALGORITHM_REFUSED, "no such algorithm")
        members = {**key_material.generate(row), "use": "sig", "alg": algorithm}
        if kid is None:
            kid = cls.parse(members).thumbprint()[:_DEFAULT_KID_LENGTH]
        return cls.parse({**members, "kid": kid})

    @property
    def crv(self) -> str | None:
        """The curve, for the kinds of key that have one."""
        return self._material.crv

    @property
    def is_private(self) -> bool:
        """Whether it can sign; a shared (`oct`) key always can."""
        return self._material.private_key is not None

    @property
    def public_key(self) -> Any:
        """What `Algorithm.verify` takes."""
        return self._material.public_key

    @property
    def private_key(self) -> Any:
        """What `Algorithm.sign` takes, or None."""
        return self._material.private_key

    def public(self) -> Self:
        """The same key without its private part.

        Raises:
            JoseError: UNUSABLE_KEY for a shared key, which has no public part.
        """
        if self.kty == "oct":
            raise unusable_key("a shared key has no public part")
        key_ops = None if self.key_ops is None else ("verify",)
        return replace(self, key_ops=key_ops, _material=self._material.public())

    def to_dict(self) -> dict[str, Any]:
        """The JWK with every member this key has: a private key's private ones too."""
        described = {
            "kty": self.kty,
            "crv": self.crv,
            "use": self.use,
            "key_ops": None if self.key_ops is None else list(self.key_ops),
            "alg": self.alg,
            "kid": self.kid,
        }
        members = {name: value for name, value in described.items() if value is not None}
        return {**members, **self._material.public_members, **self._material.private_members}

    def thumbprint(self) -> str:
        """The SHA-256 thumbprint, 43 characters of base64url; private and public key share it.

        Implements: RFC 7638 section 3, RFC 8037 section 2.
        """
        import hashlib

        material = self._material
        required = {"kty": self.kty, **(material.public_members or material.private_members)}
        if material.crv is not None:
            required["crv"] = material.crv
        return base64url.encode(hashlib.sha256(strict_json.dump(dict(sorted(required.items())))).digest())

    def require(self, algorithm: str, operation: str) -> None:
        """Check that this key may be used with `algorithm` to `operation`, "sign" or "verify".

        Raises:
            JoseError: UNUSABLE_KEY.

        Implements: RFC 7517 sections 4.3 and 4.4.
        """
        if algorithm not in self.algorithms:
            raise unusable_key("the key is not one for this algorithm")
        if self.key_ops is not None and operation not in self.key_ops:
            raise unusable_key("key_ops does not name the operation")

    def __repr__(self) -> str:
        kind = "private" if self.is_private else "public"
        return f"<Jwk {kind} {self.crv or self.kty} kid={self.kid!r}>"


def _fits(row: Algorithm, kty: str, material: Material) -> bool:
    if row.kty == kty == "oct":
        return len(material.public_key) >= row.min_key_bytes
    return row.kty == kty and row.crv == material.crv


def _text(mapping: Mapping[str, Any], name: str) -> str | None:
    value = mapping.get(name)
    if not isinstance(value, str) and name in mapping:
        raise unusable_key(f"{name} is no string")
    return value


def _key_ops(mapping: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "key_ops" not in mapping:
        return None
    value = mapping["key_ops"]
    if not isinstance(value, (list, tuple)) or not all(isinstance(operation, str) for operation in value):
        raise unusable_key("key_ops is no array of strings")
    # RFC 7517 section 4.3: duplicates MUST NOT be present, and unrelated operations SHOULD NOT.
    if len(set(value)) != len(value) or not value or not set(value) <= {"sign", "verify"}:
        raise unusable_key("key_ops is not sign, verify or both")
    return tuple(value)
