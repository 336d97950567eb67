"""We and two other libraries judge the same tokens; where we differ, an RFC says who is right."""

import json
from typing import Any

import joserfc.errors
import joserfc.jwk
import joserfc.jws
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jws import JWSRegistry

from mapae.jose import base64url, jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseError
from mapae.jose.jwk import Jwk
from tests.jose.forge import PAYLOAD, key, signed

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

#: `Ed25519` of RFC 9864 is younger than one of the two.
COMMON = [algorithm for algorithm in ALGORITHMS if algorithm != "Ed25519"]


def ours(token: str, by: Jwk) -> bytes | None:
    """The payload, or None for a refusal."""
    try:
        found = jws.split(token)
        jws.verify(found, by, by.algorithms)
    except JoseError:
        return None
    return found.payload


def pyjwt(token: str, by: Jwk) -> bytes | None:
    try:
        decoded = jwt.PyJWS().decode_complete(token, jwt.PyJWK(by.to_dict()), algorithms=list(by.algorithms))
    except (jwt.PyJWTError, ValueError):
        return None
    payload: bytes = decoded["payload"]
    return payload


def rfc(token: str, by: Jwk) -> bytes | None:
    registry = JWSRegistry(algorithms=list(by.algorithms), strict_check_header=False)
    try:
        found = joserfc.jws.deserialize_compact(
            token, joserfc.jwk.import_key(by.to_dict()), registry=registry
        )
    except (joserfc.errors.JoseError, ValueError):
        return None
    return found.payload


def public(algorithm: str) -> Jwk:
    return key(algorithm) if algorithm.startswith("HS") else key(algorithm).public()


@pytest.mark.parametrize("algorithm", COMMON)
@given(payload=st.binary(max_size=100))
def test_they_read_what_we_sign(algorithm: str, payload: bytes) -> None:
    token = jws.sign(payload, key(algorithm), algorithm=algorithm)
    by = public(algorithm)
    assert ours(token, by) == pyjwt(token, by) == rfc(token, by) == payload


@pytest.mark.parametrize("algorithm", COMMON)
def test_we_read_what_they_sign(algorithm: str) -> None:
    members = key(algorithm).to_dict()
    theirs = jwt.PyJWS().encode(PAYLOAD, jwt.PyJWK(members), algorithm=algorithm)
    assert ours(theirs, public(algorithm)) == PAYLOAD
    imported: Any = joserfc.jwk.import_key(members)
    theirs = joserfc.jws.serialize_compact({"alg": algorithm}, PAYLOAD, imported, algorithms=[algorithm])
    assert ours(theirs, public(algorithm)) == PAYLOAD


@pytest.mark.parametrize("algorithm", COMMON)
def test_we_agree_on_thumbprints(algorithm: str) -> None:
    assert joserfc.jwk.import_key(key(algorithm).to_dict()).thumbprint() == key(algorithm).thumbprint()


#: Signatures are good in all of these; what is unusual is the header.
HEADERS: list[tuple[str, str | None]] = [
    ('{"alg":"ES256"}', None),
    (' {\r\n "alg" : "ES256" }\t', None),
    ('{"alg":"ES256","typ":"JWT","kid":"k","cty":"x","x":{"y":[1,2.5,null,true]}}', None),
    ('{"alg":"ES256","jku":"https://attacker.example/"}', None),
    ('{"alg":"\\u0045S256"}', None),
    ('{"alg":"ES384"}', None),
    ('{"alg":"HS256"}', None),
    ('{"alg":"none"}', None),
    ('{"alg":1}', None),
    ('{"typ":"JWT"}', None),
    ('["ES256"]', None),
    ('{"alg":"ES256"', None),
    ('{"alg":"ES256","crit":["unknown"],"unknown":1}', None),
    ('{"alg":"ES256","alg":"ES256"}', "RFC 7515 section 4: names MUST be unique"),
    ('{"alg":"ES256","b64":true}', "RFC 7797 section 6: b64 MUST be in crit"),
    ('{"alg":"ES256","crit":[]}', "RFC 7515 section 4.1.11: MUST NOT be the empty list"),
    ('{"alg":"ES256","x":NaN}', "RFC 8259 section 6: not permitted"),
    ('{"alg":"ES256","x":"\\ud800"}', "RFC 7493 section 2.1: MUST NOT include surrogates"),
    ('{"alg":"ES256","x":1e400}', "RFC 7493 section 2.2: beyond a double"),
    ('{"alg":"ES256","typ":1}', "RFC 7515 section 4.1.9: a string"),
]


@pytest.mark.parametrize(("header", "settled_by"), HEADERS)
def test_we_agree_on_headers_or_an_rfc_is_on_our_side(header: str, settled_by: str | None) -> None:
    token = signed(header.encode(), by=key("ES256"))
    by = public("ES256")
    verdicts = [ours(token, by), pyjwt(token, by), rfc(token, by)]
    if settled_by is None:
        assert verdicts[0] == verdicts[1] == verdicts[2]
    else:
        assert verdicts[0] is None
        assert verdicts[1:] != [None, None], "they agree by now: the row belongs above"


def canonical(token: str) -> bool:
    """Whether every segment is as RFC 7515 section 2 and RFC 4648 section 3.5 write it."""
    try:
        return all(base64url.encode(base64url.decode(segment)) == segment for segment in token.split("."))
    except JoseError:
        return False


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256", "PS256", "HS256"])
@given(data=st.data())
def test_we_agree_on_edited_tokens_unless_base64url_is_not_canonical(
    algorithm: str, data: st.DataObject
) -> None:
    token = signed({"alg": algorithm}, json.dumps({"sub": "alice"}).encode(), by=key(algorithm))
    position = data.draw(st.integers(0, len(token) - 1))
    edited = token[:position] + data.draw(st.text("AQgwBz-_.=+/ \n", max_size=2)) + token[position + 1 :]
    by = public(algorithm)
    mine, theirs = ours(edited, by), {pyjwt(edited, by), rfc(edited, by)}
    if canonical(edited):
        assert theirs == {mine}
    else:
        assert mine is None
