"""Scope: the grammar of RFC 6749 section 3.3, nothing more."""

import pytest

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope


def test_a_scope_keeps_the_order_of_its_tokens_and_each_once() -> None:
    scope = Scope.parse("orders:write orders:read orders:write")

    assert list(scope) == ["orders:write", "orders:read"]
    assert str(scope) == "orders:write orders:read"
    assert "orders:read" in scope
    assert "orders" not in scope


@pytest.mark.parametrize("text", ["!", "#", "[", "]", "~", "a", "https://api.example.com/read", "A a"])
def test_every_character_of_the_grammar_is_accepted(text: str) -> None:
    assert str(Scope.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", " ", " a", "a ", "a  b", "a\tb", "a\nb", "a\n", 'a"b', "a\\b", "a\x7f", "a\x00", "é", "a\u00a0b"],
)
def test_everything_else_is_invalid_scope(text: str) -> None:
    with pytest.raises(OAuthError) as refused:
        Scope.parse(text)

    assert refused.value.code is ErrorCode.INVALID_SCOPE


def test_a_scope_of_no_tokens_prints_nothing() -> None:
    assert Scope.of([]) == NO_SCOPE
    assert str(NO_SCOPE) == ""


def test_a_token_that_is_two_does_not_slip_in_through_a_list() -> None:
    with pytest.raises(OAuthError):
        Scope.of(["a", 'b"'])
    with pytest.raises(OAuthError):
        Scope.of(["a", ""])
