"""base64url.py: one text for one value."""

import pytest

from mapae.jose import base64url
from mapae.jose.errors import JoseErrorCode
from tests.jose.forge import refusal


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xff\xef\xfe", "_-_-"), (b"\0", "AA")],
)
def test_encode_and_decode_are_each_others_reverse(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == base64url.decode(text.encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "Zg==",
        "Zg=",
        "=",
        "Zm8=",
        "+/+/",
        "Zm9v\n",
        " Zm9v",
        "Zm 9v",
        "Zm9v\0",
        "Zm9é",
        "Zm9v.",
        "Ⅷm9v",
    ],
)
def test_what_is_not_base64url_is_refused(text: str) -> None:
    assert refusal(base64url.decode, text) == JoseErrorCode.MALFORMED


def test_of_two_characters_only_those_with_four_zero_bits_at_the_end_are_canonical() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in alphabet:
        if alphabet.index(last) % 16:
            assert refusal(base64url.decode, "A" + last) == JoseErrorCode.MALFORMED
        else:
            assert base64url.encode(base64url.decode("A" + last)) == "A" + last


def test_every_byte_outside_the_alphabet_is_refused() -> None:
    allowed = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    refused = [byte for byte in range(256) if byte not in allowed]
    assert len(refused) == 192
    for byte in refused:
        for text in (bytes([byte]) + b"AAA", b"A" + bytes([byte]) + b"AA", b"AAA" + bytes([byte])):
            assert refusal(base64url.decode, text) == JoseErrorCode.MALFORMED
