"""The attacker writes a token in another way, or text that hurts (RFC 7515 section 5.2, RFC 4648 section 3.5)."""

import string

import pytest

from mapae.jose import jws, jwt
from mapae.jose.errors import JoseError, JoseErrorCode
from tests.jose.forge import accept, key, refusal, signed

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
TOKEN = jws.sign(b'{"sub":"alic"}', key("Ed25519"), algorithm="Ed25519")
HEAD, BODY, SIGNATURE = TOKEN.split(".")


def test_no_other_spelling_of_a_segment_verifies() -> None:
    """RFC 4648 section 3.5: set an unused bit and a revocation list of tokens does not know it any more."""
    twins = 0
    for index, segment in enumerate((HEAD, BODY, SIGNATURE)):
        for last in ALPHABET:
            parts = [HEAD, BODY, SIGNATURE]
            parts[index] = segment[:-1] + last
            if parts[index] != segment:
                twins += 1
                with pytest.raises(JoseError):
                    accept(".".join(parts), key("Ed25519"))
    assert twins == 3 * 63


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        HEAD,
        f"{HEAD}.{BODY}",
        f".{BODY}.{SIGNATURE}",
        f"{HEAD}..{SIGNATURE}",
        f"{HEAD}.{BODY}.",
        f".{TOKEN}",
        f"{TOKEN}.",
        f"{TOKEN}.{SIGNATURE}",
        f"{HEAD}.{HEAD}.{BODY}.{SIGNATURE}",
        f"{HEAD}.{HEAD}.{HEAD}.{BODY}.{SIGNATURE}",
        f"{TOKEN}\n",
        f" {TOKEN}",
        f"Bearer {TOKEN}",
        f'"{TOKEN}"',
        f"{TOKEN}=",
        f"{TOKEN}==",
        f"{HEAD}=.{BODY}.{SIGNATURE}",
        f"{HEAD}.{BODY}=.{SIGNATURE}",
        f"{HEAD}. {BODY}.{SIGNATURE}",
        f"{HEAD}?.{BODY}.{SIGNATURE}",
        f"{HEAD}.{BODY}?.{SIGNATURE}",
        f"{HEAD}.{BODY}.\0{SIGNATURE}",
        f"{HEAD}.{BODY}.{SIGNATURE[:40]}\r\n{SIGNATURE[40:]}",
        TOKEN.replace("-", "+").replace("_", "/") + "+",
        TOKEN.replace(".", "\uff0e"),
        TOKEN.replace("e", "\u0435", 1),
        TOKEN + "\udc00",
        '{"payload":"' + BODY + '","protected":"' + HEAD + '","signature":"' + SIGNATURE + '"}',
    ],
    ids=lambda token: f"{len(token)} characters",  # not the token: its key is another one in each process
)
def test_no_other_form_of_a_token_verifies(token: str) -> None:
    """RFC 7515 sections 5.2 and 7.1; the `?` rows are test cases 372 and 373 of Project Wycheproof, which calls them
    valid against step 2 of section 5.2: no additional characters."""
    with pytest.raises(JoseError):
        accept(token, key("Ed25519"))


DEEP = 100_000
TEXTS = {
    "not UTF-8": b'{"alg":"ES256","exp":"\xff"}',
    "overlong UTF-8": b'{"alg":"ES256","exp":"\xc0\xaf"}',
    "byte order mark": b'\xef\xbb\xbf{"alg":"ES256"}',
    "UTF-16": '{"alg":"ES256"}'.encode("utf-16"),
    "half a surrogate pair": rb'{"alg":"ES256","sub":"\ud800"}',
    "NaN": b'{"alg":"ES256","exp":NaN}',
    "Infinity": b'{"alg":"ES256","exp":Infinity}',
    "1e400": b'{"alg":"ES256","exp":1e400}',
    "-1e400": b'{"alg":"ES256","exp":-1e400}',
    "many digits": b'{"alg":"ES256","exp":' + b"9" * DEEP + b"}",
    "many arrays": b'{"alg":"ES256","exp":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "many objects": b'{"alg":"ES256","exp":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "a name twice": b'{"alg":"ES256","exp":1,"exp":9999999999}',
    "two objects": b'{"alg":"ES256"}{"alg":"ES256"}',
    "a NUL after it": b'{"alg":"ES256"}\0',
}
each_text = pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in TEXTS.items()])


@each_text
def test_a_header_that_hurts(text: bytes) -> None:
    """RFC 8725 sections 2.4 and 3.7; also for a caller who lets tokens be long."""
    token = signed(text, by=key("ES256"))
    assert refusal(jws.split, token) == JoseErrorCode.MALFORMED
    assert refusal(jws.split, token, max_length=10**7) == JoseErrorCode.MALFORMED


@each_text
def test_claims_that_hurt_although_the_signature_is_good(text: bytes) -> None:
    """RFC 7519 sections 4 and 7.2, RFC 8725 section 2.4."""
    found = jws.split(signed({"alg": "ES256"}, text, by=key("ES256")), max_length=10**7)
    jws.verify(found, key("ES256"), ("ES256",))
    assert refusal(jwt.parse_claims, found.payload) == JoseErrorCode.MALFORMED


@pytest.mark.parametrize("payload", [b"", b"[]", b'["sub"]', b'"sub"', b"1", b"null", b"true"])
def test_claims_that_are_no_object(payload: bytes) -> None:
    """RFC 7519 section 7.2, step 10."""
    found = accept(signed({"alg": "ES256"}, payload, by=key("ES256")), key("ES256"))
    assert refusal(jwt.parse_claims, found.payload) == JoseErrorCode.MALFORMED


def test_a_refusal_quotes_neither_token_nor_key() -> None:
    """RFC 8725 section 3.10 in spirit: what the attacker wrote does not get into our log."""
    for token in (f"{TOKEN}?", f"{HEAD}.{BODY}.AAAA", signed(b'{"alg":"canary"}', by=key("ES256"))):
        with pytest.raises(JoseError) as caught:
            accept(token, key("ES256"), "ES256")
        assert not any(piece in str(caught.value) for piece in (HEAD, BODY, SIGNATURE, "canary"))
