"""AccessToken: nothing a view does to one reaches the next request."""

import json
from typing import Any

import pytest

from mapae import AccessToken, TokenRejected
from mapae.testing import FixedClock, Issuer

ISSUER = Issuer(audience="https://api.example.com", clock=FixedClock())
NESTED: dict[str, Any] = {
    "authorization_details": [{"type": "order", "actions": ["read"]}],
    "roles": ["member"],
}


def _token(**options: Any) -> AccessToken:
    return ISSUER.verifier().verify(ISSUER.token(**options))


def test_claims_cannot_be_changed_at_any_depth() -> None:
    token: Any = _token(claims=NESTED)

    with pytest.raises(TypeError):
        token.claims["roles"] = ("admin",)
    with pytest.raises(TypeError):
        token.claims["authorization_details"][0]["type"] = "all"
    with pytest.raises(AttributeError):
        token.claims["roles"].append("admin")
    with pytest.raises(AttributeError):
        token.claims["authorization_details"][0]["actions"].append("write")
    for name in ("subject", "scopes", "roles", "claims", "other"):
        with pytest.raises(AttributeError):
            setattr(token, name, "admin")


def test_what_a_view_makes_of_a_token_is_not_seen_by_the_next() -> None:
    verifier, raw = ISSUER.verifier(), ISSUER.token(claims=NESTED)
    copy = dict(verifier.verify(raw).claims)
    copy["sub"] = "mallory"

    assert verifier.verify(raw).subject == "alice"


def test_claims_of_any_name_are_there_and_print_as_json() -> None:
    token = _token(claims={**NESTED, "tenant": "t1"})

    assert token.claims["tenant"] == "t1"
    assert json.loads(json.dumps(token.claims["roles"])) == ["member"]


def test_what_a_token_does_not_say_is_none_or_empty() -> None:
    token = _token(claims={"sid": None, "auth_time": None, "scope": None, "roles": None})

    assert (token.session_id, token.auth_time) == (None, None)
    assert (token.scopes, token.roles) == (frozenset(), frozenset())


@pytest.mark.parametrize("needed", [(), ("a",), ("a", "b"), ("b", "a", "a")])
def test_a_token_with_all_scopes_is_enough(needed: tuple[str, ...]) -> None:
    _token(scopes=["a", "b"]).require(*needed)


@pytest.mark.parametrize("needed", [("c",), ("a", "c"), ("A",), ("a b",)])
def test_a_token_without_one_is_not(needed: tuple[str, ...]) -> None:
    with pytest.raises(TokenRejected) as refused:
        _token(scopes=["a", "b"]).require(*needed)

    assert refused.value.code == "insufficient_scope"
    assert refused.value.status == 403
    assert f'scope="{" ".join(needed)}"' in refused.value.challenge()


def test_tokens_that_say_the_same_are_equal() -> None:
    raw = ISSUER.token()
    one, again = (ISSUER.verifier(cache_size=0).verify(raw) for _ in range(2))

    assert one == again
    assert hash(one) == hash(again)
    assert one != _token()
    assert one != raw


def test_a_token_prints_without_its_scopes_and_signature() -> None:
    raw = ISSUER.token(claims={"jti": "j1"})

    assert repr(ISSUER.verifier().verify(raw)) == "<AccessToken j1 of alice from https://issuer.test>"
