"""What an attacker builds tokens with: any header, any payload, any signature, honest or not."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ParamSpec

import pytest

from mapae.jose import base64url, jws, strict_json
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseError, JoseErrorCode
from mapae.jose.jwk import Jwk

_P = ParamSpec("_P")

PAYLOAD = b'{"sub":"alice"}'


@cache
def key(algorithm: str) -> Jwk:
    """One private key an algorithm, the same all through a run."""
    return Jwk.generate(algorithm)


def octets(part: bytes | Mapping[str, Any]) -> bytes:
    """Bytes as they are, members as JSON."""
    return part if isinstance(part, bytes) else strict_json.dump(part)


def unsigned(header: bytes | Mapping[str, Any], payload: bytes | Mapping[str, Any] = PAYLOAD) -> str:
    """The first two segments."""
    return f"{base64url.encode(octets(header))}.{base64url.encode(octets(payload))}"


def signed(
    header: bytes | Mapping[str, Any],
    payload: bytes | Mapping[str, Any] = PAYLOAD,
    *,
    by: Jwk,
    algorithm: str | None = None,
) -> str:
    """A token with a right signature over whatever the segments say, by an algorithm `alg` need not name."""
    text = unsigned(header, payload)
    row = ALGORITHMS[algorithm or by.alg or ""]
    return f"{text}.{base64url.encode(row.sign(by.private_key, text.encode()))}"


def accept(token: str | bytes, by: Jwk, *algorithms: str) -> jws.Jws:
    """Split and verify, as a caller does who allows `algorithms` (the key's own if none are given)."""
    found = jws.split(token)
    jws.verify(found, by, algorithms or tuple(by.algorithms))
    return found


def refusal(call: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> JoseErrorCode:
    """The code a call is refused with."""
    with pytest.raises(JoseError) as caught:
        call(*args, **kwargs)
    return caught.value.code
