"""The compact form of a signed text: split, sign, verify (RFC 7515)."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from mapae.jose import base64url, strict_json
from mapae.jose.algorithms import ALGORITHMS, Algorithm
from mapae.jose.errors import JoseError, JoseErrorCode, malformed, unusable_key
from mapae.jose.jwk import Jwk

_MAX_LENGTH: Final = 8192
_CACHED_LENGTH: Final = 512


class Jws(NamedTuple):
    """The parts of a token, none of them to be believed before `verify`."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signing_input: bytes


def sign(
    payload: bytes,
    key: Jwk,
    *,
    algorithm: str,
    typ: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """`payload` signed with a private key, in compact form.

    Args:
        algorithm: goes into `alg`
        typ: goes into `typ`
        extra: further header members; they do not replace `alg`, `typ` and the key's `kid`
    Raises:
        JoseError: ALGORITHM_REFUSED when there is no such algorithm; UNUSABLE_KEY when the key cannot
            sign with it.

    Implements: RFC 7515 section 5.1.
    """
    row = _row(algorithm)
    key.require(algorithm, "sign")
    if not key.is_private:
        raise unusable_key("a public key cannot sign")
    signed = _signing_input(payload, _encoded_header(algorithm, typ, key.kid, extra))
    return join(signed, row.sign(key.private_key, signed))


def signing_input(payload: bytes, *, algorithm: str, kid: str, typ: str) -> bytes:
    """What has to be signed, for whoever signs without the key at hand. `join` makes the token of it.

    Implements: RFC 7515 section 5.1, steps 1 to 4.
    """
    return _signing_input(payload, _usual_header(algorithm, typ, kid))


def join(signing_input: bytes, signature: bytes) -> str:
    """The token in compact form (RFC 7515 section 5.1, steps 6 and 8)."""
    return f"{signing_input.decode()}.{base64url.encode(signature)}"


def split(token: str | bytes, *, max_length: int = _MAX_LENGTH) -> Jws:
    """The parts of a token in compact form, decoded and not yet verified.

    Args:
        max_length: how many bytes the token may have; looked at before anything is decoded
    Raises:
        JoseError: MALFORMED.

    Implements: RFC 7515 section 5.2, steps 1 to 7. Header members that bring or name a key (`jwk`,
        `jku`, `x5u`, `x5c`) are kept and never followed. Every extension in `crit` is unknown here,
        so each token with `crit` is refused (section 4.1.11).
    """
    if len(token) > max_length:
        raise malformed(f"a token of more than {max_length} bytes")
    try:
        raw = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise malformed("not base64url") from None
    segments = raw.split(b".", 3)
    if len(segments) != 3:
        raise malformed("not three segments")
    header, payload, signature = segments
    # Issuers send the same few headers all day.
    parse = _cached_header if len(header) <= _CACHED_LENGTH else _header
    signed = raw[: len(raw) - len(signature) - 1]
    return Jws(parse(header), base64url.decode(payload), base64url.decode(signature), signed)


def verify(jws: Jws, key: Jwk, algorithms: Collection[str]) -> None:
    """Check that `key` signed what `jws` holds, with one of `algorithms`.

    Args:
        algorithms: what the caller allows (RFC 8725 section 3.1)
    Raises:
        JoseError: ALGORITHM_REFUSED, UNUSABLE_KEY when the key is not one for `alg`, BAD_SIGNATURE.

    Implements: RFC 7515 section 5.2, step 8.
    Does not check: that the header asks for this key, nor what the payload says.
    """
    alg = jws.header["alg"]
    row = ALGORITHMS.get(alg)
    if row is None or alg not in algorithms:
        raise JoseError(JoseErrorCode.ALGORITHM_REFUSED, "alg is not among those allowed")
    key.require(alg, "verify")
    row.verify(key.public_key, jws.signing_input, jws.signature)


def _signing_input(payload: bytes, header: str) -> bytes:
    return f"{header}.{base64url.encode(payload)}".encode()


def _encoded_header(
    algorithm: str, typ: str | None, kid: str | None, extra: Mapping[str, Any] | None = None
) -> str:
    named = {"alg": algorithm, "typ": typ, "kid": kid}
    header = {**(extra or {}), **{name: value for name, value in named.items() if value is not None}}
    return base64url.encode(strict_json.dump(header))


# One issuer has few keys, and signs with them all day.
_usual_header = lru_cache(maxsize=64)(_encoded_header)


def _row(algorithm: str) -> Algorithm:
    row = ALGORITHMS.get(algorithm)
    if row is None:
        raise JoseError(JoseErrorCode.ALGORITHM_REFUSED, "no such algorithm")
    return row


def _header(encoded: bytes) -> Mapping[str, Any]:
    header = strict_json.parse_object(base64url.decode(encoded))
    if not isinstance(header.get("alg"), str):
        raise malformed("alg is missing or no string")
    if not all(isinstance(header.get(name, ""), str) for name in ("kid", "typ", "cty")):
        raise malformed("kid, typ or cty is no string")
    # RFC 7515 section 4.1.11: an extension that is not understood MUST be refused; RFC 7797 is one.
    if "crit" in header or "b64" in header:
        raise malformed("crit or b64 in the header")
    frozen: Mapping[str, Any] = _frozen(header)
    return frozen


_cached_header = lru_cache(maxsize=128)(_header)


def _frozen(value: Any) -> Any:
    """`value` as something that readers of the cache cannot change for one another."""
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(member) for name, member in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value
