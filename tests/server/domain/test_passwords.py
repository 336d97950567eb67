"""Passwords and user names: what is the same, what is refused, and that nothing is cut."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from precis_i18n import get_profile

from mapae.secret import Secret
from mapae.server.domain.passwords import (
    CredentialFault,
    CredentialRefused,
    parse_username,
    prepare_new_password,
    prepare_password,
)

GOOD = "correct horse battery staple"


def prepared(text: str) -> str:
    return prepare_password(Secret(text)).secret.reveal()


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        (GOOD, GOOD),
        ("Jack of ♦s", "Jack of ♦s"),  # this and the next: RFC 8265 section 4.3
        ("foo\u1680bar", "foo bar"),
        ("Σ", "Σ"),
        ("e\u0301t\u00e9", "\u00e9t\u00e9"),
        ("비밀번호", "비밀번호"),
        (unicodedata.normalize("NFD", "비밀번호"), "비밀번호"),
        ("\uff21", "\uff21"),  # no width mapping in passwords
        (" spaces stay ", " spaces stay "),
        ("🔑🔑", "🔑🔑"),
    ],
)
def test_a_password_is_compared_in_its_prepared_form(typed: str, compared: str) -> None:
    assert prepared(typed) == compared


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", CredentialFault.EMPTY),
        ("x" * 1025, CredentialFault.TOO_LONG),
        ("x" * 1_000_000, CredentialFault.TOO_LONG),
        ("\u0958" * 513, CredentialFault.TOO_LONG),  # each becomes two characters
        ("nul\0inside", CredentialFault.FORBIDDEN_CHARACTER),
        ("line\nfeed", CredentialFault.FORBIDDEN_CHARACTER),
        ("delete\x7f", CredentialFault.FORBIDDEN_CHARACTER),
        ("\ud800", CredentialFault.FORBIDDEN_CHARACTER),
        ("\ufffe", CredentialFault.FORBIDDEN_CHARACTER),
        ("\U000e0fff", CredentialFault.FORBIDDEN_CHARACTER),  # assigned in no version of Unicode
    ],
)
def test_a_password_is_refused_with_a_code(text: str, code: CredentialFault) -> None:
    with pytest.raises(CredentialRefused) as caught:
        prepare_password(Secret(text))
    assert caught.value.code is code
    assert caught.value.__context__ is None


def test_a_long_password_counts_to_its_last_character() -> None:
    assert prepared("x" * 1023 + "y") != prepared("x" * 1023 + "z")
    assert prepared("e\u0301" * 1024) == "\u00e9" * 1024


def test_only_a_new_password_has_to_be_long() -> None:
    assert prepared("1234567") == "1234567"
    with pytest.raises(CredentialRefused, match="too_short"):
        prepare_new_password(Secret("1234567"))
    with pytest.raises(CredentialRefused, match="too_short"):
        prepare_new_password(Secret("e\u0301" * 7))
    assert prepare_new_password(Secret("12345678")) == prepare_password(Secret("12345678"))


@pytest.mark.parametrize(
    "same",
    [
        ("alice", "ALICE", "Alice", "\uff21lice"),
        ("straße", "STRASSE", "Strasse"),
        ("jos\u00e9", "JOSE\u0301"),
        ("σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("bob@example.com", "Bob@Example.COM"),
    ],
)
def test_spellings_of_one_name_have_one_key(same: tuple[str, ...]) -> None:
    assert len({parse_username(text).key for text in same}) == 1


def test_a_name_is_shown_as_it_was_typed() -> None:
    assert parse_username("Jos\u0065\u0301").display == "Jos\u00e9"
    assert parse_username("민준") == parse_username(unicodedata.normalize("NFD", "민준"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", CredentialFault.EMPTY),
        ("a" * 256, CredentialFault.TOO_LONG),
        ("a" * 1_000_000, CredentialFault.TOO_LONG),
        ("two words", CredentialFault.FORBIDDEN_CHARACTER),
        ("nul\0", CredentialFault.FORBIDDEN_CHARACTER),
        ("a\u200bb", CredentialFault.FORBIDDEN_CHARACTER),  # zero width space
        ("a\u202eb", CredentialFault.FORBIDDEN_CHARACTER),  # right-to-left override
        ("\ufb01n", CredentialFault.FORBIDDEN_CHARACTER),  # ligature
        ("henry\u2163", CredentialFault.FORBIDDEN_CHARACTER),  # RFC 8265 section 3.5
        ("\ud800", CredentialFault.FORBIDDEN_CHARACTER),
    ],
)
def test_a_name_is_refused_with_a_code(text: str, code: CredentialFault) -> None:
    with pytest.raises(CredentialRefused) as caught:
        parse_username(text)
    assert caught.value.code is code


@given(st.text())
def test_whatever_is_typed_is_prepared_once_and_for_all_or_refused(text: str) -> None:
    try:
        once = prepared(text)
    except CredentialRefused:
        return
    assert prepared(once) == once


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_the_key_of_a_key_is_itself(text: str) -> None:
    try:
        key = parse_username(text).key
    except CredentialRefused:
        return
    assert unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold()) == key


@given(text=st.text(st.characters(min_codepoint=0, max_codepoint=127), min_size=1, max_size=300))
def test_the_short_cut_for_ascii_is_what_the_rules_say(text: str) -> None:
    for profile_name, parse in (
        ("OpaqueString", prepared),
        ("UsernameCasePreserved", lambda name: parse_username(name).display),
    ):
        try:
            by_the_rules: str | None = get_profile(profile_name).enforce(text)
        except UnicodeEncodeError:
            by_the_rules = None
        try:
            ours: str | None = parse(text)
        except CredentialRefused as refused:
            if refused.code is CredentialFault.TOO_LONG:
                continue
            ours = None
        assert ours == by_the_rules
