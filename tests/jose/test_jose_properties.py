"""What holds for every input: round trips, no forgery by editing, no exception but our own."""

import string
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.jose import base64url, jws, strict_json
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseError
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from tests.jose.forge import accept, key, octets, signed

QUICK = ("ES256", "Ed25519", "RS256", "PS256", "HS256")
TOKENS = {algorithm: signed({"alg": algorithm, "kid": "k"}, by=key(algorithm)) for algorithm in QUICK}

MEMBERS = [
    *("kty", "crv", "alg", "use", "kid", "key_ops"),
    *("x", "y", "n", "e", "k", "d", "p", "q", "dp", "dq", "qi", "oth"),
]
VALUES = [
    *("EC", "OKP", "RSA", "oct", "P-256", "Ed25519", "ES256", "sig"),
    *("AQAB", "AA", ["verify"], [1], None, 0),
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)
objects = st.dictionaries(st.text(), values, max_size=6)
#: Text made of the pieces JSON is made of, mostly in a wrong order.
pieces = st.sampled_from(
    [
        *('{"a":', '"alg":', '"ES256"', *'{}[]:,"\\ ', r"\ud800", "é"),
        *("1", "-", "e9", ".5", "1e999", "true", "null", "NaN"),
    ]
)
json_like = st.lists(pieces, max_size=40).map("".join)


@given(st.binary())
def test_base64url_gives_back_what_it_was_given(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@given(st.text(string.ascii_letters + string.digits + "-_+/= ", max_size=12) | st.text(max_size=12))
def test_base64url_reads_only_what_it_would_write(text: str) -> None:
    try:
        data = base64url.decode(text)
    except JoseError:
        return
    assert base64url.encode(data) == text


@given(objects)
def test_json_gives_back_what_it_was_given(value: dict[str, Any]) -> None:
    assert strict_json.parse_object(strict_json.dump(value), max_depth=32) == value


@given(st.binary(max_size=60) | json_like | json_like.map(str.encode) | st.text(max_size=60))
def test_json_is_an_object_or_refused(raw: bytes | str) -> None:
    try:
        assert isinstance(strict_json.parse_object(raw), dict)
    except JoseError:
        return


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(data=st.data())
def test_a_token_holds_what_was_signed(algorithm: str, data: st.DataObject) -> None:
    payload = data.draw(st.binary(max_size=200))
    names = st.text(max_size=8).filter(lambda name: name not in {"alg", "kid", "typ", "cty", "crit", "b64"})
    extra = data.draw(st.dictionaries(names, scalars, max_size=3))
    token = jws.sign(payload, key(algorithm), algorithm=algorithm, extra=extra)
    found = accept(token, key(algorithm))
    assert found.payload == payload
    assert found.header == {"alg": algorithm, "kid": key(algorithm).kid, **extra}


@pytest.mark.parametrize("algorithm", QUICK)
@given(data=st.data())
def test_an_edited_token_is_refused(algorithm: str, data: st.DataObject) -> None:
    token = TOKENS[algorithm]
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(len(token), start + 4)))
    put = data.draw(st.text(string.ascii_letters + string.digits + "-_.", max_size=4) | st.text(max_size=2))
    edited = token[:start] + put + token[end:]
    if edited == token:
        return
    with pytest.raises(JoseError):
        accept(edited, key(algorithm), *QUICK)


@pytest.mark.parametrize("algorithm", QUICK)
@given(signature=st.binary(max_size=300))
def test_a_guessed_signature_is_refused(algorithm: str, signature: bytes) -> None:
    head = TOKENS[algorithm].rpartition(".")[0]
    with pytest.raises(JoseError):
        accept(f"{head}.{base64url.encode(signature)}", key(algorithm))


@given(
    st.text(max_size=80) | st.binary(max_size=80) | st.lists(st.text("eyJ0._-= ", max_size=9)).map(".".join)
)
def test_any_text_is_split_or_refused(token: str | bytes) -> None:
    try:
        assert isinstance(jws.split(token), jws.Jws)
    except JoseError:
        return


@given(header=objects | json_like.map(str.encode), alg=st.sampled_from(QUICK) | values)
def test_any_header_is_read_or_refused(header: dict[str, Any] | bytes, alg: Any) -> None:
    whole = {**header, "alg": alg} if isinstance(header, dict) else octets(header)
    try:
        found = accept(signed(whole, by=key("ES256")), key("ES256"))
    except JoseError:
        return
    assert found.header["alg"] == "ES256"


@given(
    base=st.sampled_from([{}, *(key(algorithm).to_dict() for algorithm in QUICK)]),
    changed=st.dictionaries(
        st.sampled_from(MEMBERS),
        st.sampled_from(VALUES) | st.binary(max_size=260).map(base64url.encode) | values,
        max_size=4,
    ),
)
def test_any_key_is_usable_or_refused(base: dict[str, Any], changed: dict[str, Any]) -> None:
    members = {**base, **changed}
    with suppress(JoseError):
        assert Jwk.parse(members).algorithms
    with suppress(JoseError):
        assert not any(each.is_private for each in JwkSet.parse({"keys": [members]}))
