"""The claims of RFC 9068: what goes in comes out, and what is wrong is told."""

from typing import Any

import pytest

from mapae.jose.errors import JoseError, JoseErrorCode
from mapae.oauth.access_token import AccessTokenClaims
from mapae.oauth.scope import Scope

LEAST: dict[str, Any] = {
    "iss": "https://auth.example.com",
    "sub": "kX3vQ0m2Zt9A",
    "aud": "https://api.example.com",
    "exp": 1300,
    "iat": 1000,
    "jti": "Wc81hTqLr5Yd",
    "client_id": "mapae",
}
FULL: dict[str, Any] = {
    **LEAST,
    "aud": ["https://api.example.com", "https://other.example.com"],
    "scope": "orders:read orders:write",
    "sid": "pB7nE4sJx0Ku",
    "auth_time": 0,
    "roles": ["member"],
    "amr": ["pwd"],
    "acr": "1",
    "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
}
NO_TEXT: list[Any] = ["", None, 1, True, [], {}]
NO_MOMENT: list[Any] = ["1", None, True, [], {}]
NO_TEXTS: list[Any] = [None, "a", [1], [None], {}]
WRONG: dict[str, list[Any]] = {
    **dict.fromkeys(("iss", "sub", "jti", "client_id"), NO_TEXT),
    **dict.fromkeys(("exp", "iat", "auth_time"), NO_MOMENT),
    **dict.fromkeys(("roles", "amr"), NO_TEXTS),
    **dict.fromkeys(("sid", "acr"), NO_TEXT[1:]),
    "aud": [None, 1, [], [1], {}, True],
    "scope": [None, 1, ["a"], "a  b", 'a"'],
    "cnf": [None, "a", []],
}


@pytest.mark.parametrize("claims", [LEAST, FULL], ids=["least", "full"])
def test_claims_are_printed_as_they_were_parsed(claims: dict[str, Any]) -> None:
    assert AccessTokenClaims.parse(claims).to_dict() == claims


def test_claims_have_types() -> None:
    claims = AccessTokenClaims.parse(FULL)

    assert claims.scope == Scope.parse("orders:read orders:write")
    assert claims.aud == ("https://api.example.com", "https://other.example.com")
    assert claims.roles == ("member",)
    assert claims.auth_time == 0


@pytest.mark.parametrize("name", LEAST)
def test_each_required_claim_is_required(name: str) -> None:
    with pytest.raises(JoseError) as refused:
        AccessTokenClaims.parse({claim: value for claim, value in LEAST.items() if claim != name})

    assert refused.value.code is JoseErrorCode.MALFORMED


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_claim_of_the_wrong_type_is_malformed(name: str, value: object) -> None:
    with pytest.raises(JoseError) as refused:
        AccessTokenClaims.parse({**FULL, name: value})

    assert refused.value.code is JoseErrorCode.MALFORMED
    assert name in refused.value.detail
