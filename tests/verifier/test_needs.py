"""What a call asks of its token: scopes, roles, how long ago and how the user signed in."""

from typing import Any

import pytest

from mapae import Misuse, TokenRejected
from mapae.testing import FixedClock, Issuer
from mapae.verifier import Needs, Verifiers

CLOCK = FixedClock()
ISSUER = Issuer(audience="https://api.example.com", clock=CLOCK)
VERIFIER = ISSUER.verifier()
NOW = int(CLOCK.now)


def _refusal(needs: Needs, **options: Any) -> TokenRejected:
    with pytest.raises(TokenRejected) as refused:
        VERIFIER.verify(ISSUER.token(**options), needs)
    return refused.value


@pytest.mark.parametrize(
    ("needs", "options"),
    [
        (Needs(), {}),
        (Needs(scopes=["a", "b"]), {"scopes": ["c", "b", "a"]}),
        (Needs(any_scope=["a", "b"]), {"scopes": ["b"]}),
        (Needs(roles=["admin", "auditor"]), {"roles": ["auditor"]}),
        (Needs(fresh_s=60), {"claims": {"auth_time": NOW - 60}}),
        (Needs(acr=["phr", "mfa"]), {"claims": {"acr": "mfa"}}),
        (Needs(scopes=["a"], roles=["admin"], fresh_s=1), {"scopes": ["a"], "roles": ["admin"]}),
    ],
)
async def test_a_token_that_meets_them_is_enough(needs: Needs, options: dict[str, Any]) -> None:
    assert VERIFIER.verify(ISSUER.token(**options), needs).subject == "alice"
    assert (await VERIFIER.averify(ISSUER.token(**options), needs)).subject == "alice"


@pytest.mark.parametrize(
    ("needs", "options", "code", "status", "challenge"),
    [
        (
            Needs(scopes=["a", "b"]),
            {"scopes": ["a"]},
            "insufficient_scope",
            403,
            'Bearer realm="api", scope="a b", error="insufficient_scope", '
            'error_description="The access token does not cover this call."',
        ),
        (
            Needs(any_scope=["a", "b"]),
            {"scopes": ["c"]},
            "insufficient_scope",
            403,
            'Bearer realm="api", scope="a b", error="insufficient_scope", '
            'error_description="The access token does not cover this call."',
        ),
        (
            Needs(roles=["admin"]),
            {"roles": ["member"]},
            "insufficient_scope",
            403,
            'Bearer realm="api", error="insufficient_scope", '
            'error_description="The access token does not cover this call."',
        ),
        (
            Needs(fresh_s=60),
            {"claims": {"auth_time": NOW - 61}},
            "insufficient_user_authentication",
            401,
            'Bearer realm="api", error="insufficient_user_authentication", '
            'error_description="The user has to sign in again, or in a stronger way.", max_age="60"',
        ),
        (
            Needs(acr=["phr", "mfa"]),
            {"claims": {"acr": "pwd"}},
            "insufficient_user_authentication",
            401,
            'Bearer realm="api", error="insufficient_user_authentication", '
            'error_description="The user has to sign in again, or in a stronger way.", acr_values="phr mfa"',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_one_that_does_not_is_told_what_is_missing(
    needs: Needs, options: dict[str, Any], code: str, status: int, challenge: str
) -> None:
    refused = _refusal(needs, **options)

    assert (refused.code, refused.status, refused.challenge()) == (code, status, challenge)


@pytest.mark.parametrize("needs", [Needs(fresh_s=60), Needs(acr=["mfa"])])
def test_a_token_that_does_not_say_when_and_how_is_not_enough(needs: Needs) -> None:
    assert _refusal(needs, claims={"auth_time": None}).code == "insufficient_user_authentication"


def test_nobody_signs_in_again_only_to_hear_that_it_was_no_use() -> None:
    needs = Needs(roles=["admin"], fresh_s=60)

    assert _refusal(needs, claims={"auth_time": NOW - 61}).code == "insufficient_scope"


def test_an_invalid_token_is_invalid_whatever_is_needed() -> None:
    assert _refusal(Needs(roles=["admin"]), expired=True).code == "expired"


def test_what_was_fresh_grows_old_in_the_cache() -> None:
    clock = FixedClock()
    issuer = Issuer(audience="https://api.example.com", clock=clock)
    verifier, raw, needs = issuer.verifier(), issuer.token(), Needs(fresh_s=60)
    verifier.verify(raw, needs)
    clock.advance(61)

    assert verifier.verify(raw).subject == "alice"
    with pytest.raises(TokenRejected, match="insufficient_user_authentication"):
        verifier.verify(raw, needs)


def test_a_view_asks_for_more_once_it_knows_what_is_asked_of_it() -> None:
    token = VERIFIER.verify(ISSUER.token(roles=["member"]))

    assert VERIFIER.recheck(token, Needs(roles=["member"])) == 330
    with pytest.raises(TokenRejected, match="insufficient_scope"):
        Verifiers(VERIFIER).recheck(token, Needs(roles=["admin"]))


def test_a_token_of_none_of_the_issuers_is_not_rechecked() -> None:
    token = VERIFIER.verify(ISSUER.token())
    others = Verifiers(Issuer(audience=ISSUER.audience, issuer="https://other.test").verifier())

    with pytest.raises(TokenRejected, match="wrong_issuer"):
        others.recheck(token)


def test_scopes_are_added_to_what_is_needed_anyway() -> None:
    assert Needs(scopes=["a"], fresh_s=5).with_scopes(["b"]) == Needs(scopes=("a", "b"), fresh_s=5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": "a"},
        {"any_scope": "a"},
        {"roles": "admin"},
        {"acr": "mfa"},
        {"fresh_s": 0},
        {"fresh_s": -1},
    ],
)
def test_senseless_needs_are_refused_where_they_are_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        Needs(**wrong)
