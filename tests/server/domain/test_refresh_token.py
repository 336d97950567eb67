"""The refresh token: one spelling, no forgery, the same string for the same turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.jose import base64url
from mapae.secret import Secret
from mapae.server.domain.refresh_token import (
    PREFIX,
    NotARefreshToken,
    RefreshKeyLost,
    RefreshToken,
    RefreshTokenCodec,
    derive_refresh_key,
)

KEY = derive_refresh_key(b"k" * 32)
OTHER_KEY = derive_refresh_key(b"o" * 32)
CODEC = RefreshTokenCodec(lambda: [KEY])
FAMILY = base64url.encode(bytes(range(9)))


@given(family=st.binary(min_size=9, max_size=9), turn=st.integers(0, 2**32 - 1))
def test_what_was_written_is_read(family: bytes, turn: int) -> None:
    family_id = base64url.encode(family)
    token = CODEC.write(family_id, turn)
    assert CODEC.read(token) == RefreshToken(family_id, turn)
    assert CODEC.write(family_id, turn) == token
    assert len(token) == 68


@given(place=st.integers(0, 67), character=st.characters(codec="utf-8"))
def test_no_other_spelling_and_no_forgery_is_read(place: int, character: str) -> None:
    text = CODEC.write(FAMILY, 7).reveal()
    changed = text[:place] + character + text[place + 1 :]
    if changed != text:
        with pytest.raises((NotARefreshToken, RefreshKeyLost)):
            CODEC.read(Secret(changed))


@given(text=st.text())
def test_garbage_is_no_refresh_token(text: str) -> None:
    for garbage in (text, PREFIX + text):
        with pytest.raises(NotARefreshToken):
            CODEC.read(Secret(garbage))


def test_an_older_key_is_still_read_and_the_newest_writes() -> None:
    both = RefreshTokenCodec(lambda: [OTHER_KEY, KEY])
    assert both.read(CODEC.write(FAMILY, 3)) == RefreshToken(FAMILY, 3)
    assert RefreshTokenCodec(lambda: [OTHER_KEY]).read(both.write(FAMILY, 3)) == RefreshToken(FAMILY, 3)


def test_a_key_that_is_gone_is_told_apart_from_a_forgery() -> None:
    with pytest.raises(RefreshKeyLost):
        RefreshTokenCodec(lambda: [OTHER_KEY]).read(CODEC.write(FAMILY, 3))


def test_a_key_does_not_print_itself() -> None:
    assert KEY.material.hex() not in repr(KEY)
    assert repr(KEY.material) not in repr(KEY)
