"""The table of domain/codes, row by row."""

from dataclasses import replace

import pytest

from mapae.oauth.pkce import Challenge
from mapae.secret import Secret
from mapae.server.domain.codes import (
    CODE_LIFE_S,
    Code,
    CodePresented,
    CodeRefused,
    CodeReplayed,
    Redeemed,
    redeem,
)

NOW = 1_800_000_000
#: RFC 7636 appendix B.
VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
CODE = Code(
    digest=b"d" * 32,
    client_id="web",
    session_id="session",
    redirect_uri="https://app.example.com/callback",
    scope="openid orders:read",
    audience="https://api.example.com",
    auth_time=NOW - 5,
    expires_at=NOW + CODE_LIFE_S,
    challenge=Challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
)
SPENT = replace(CODE, redeemed_at=NOW, family_id="first")
RIGHT = CodePresented("web", CODE.redirect_uri, VERIFIER)


def test_the_right_request_gets_what_the_code_is_for_once() -> None:
    decision = redeem(CODE, RIGHT, family_id="first", now=NOW)
    assert decision == Redeemed(SPENT)


@pytest.mark.parametrize("seconds", [0, 30, CODE_LIFE_S, 3600])
def test_a_second_use_names_the_family_of_the_first_also_when_the_code_has_expired(seconds: int) -> None:
    assert redeem(SPENT, RIGHT, family_id="second", now=NOW + seconds) == CodeReplayed("first")


def test_a_second_use_is_one_whatever_else_is_wrong_with_it() -> None:
    presented = CodePresented("web", None, None)
    assert redeem(SPENT, presented, family_id="second", now=NOW) == CodeReplayed("first")


@pytest.mark.parametrize("code", [CODE, SPENT], ids=["live", "spent"])
def test_another_client_gets_nothing_and_ends_nothing(code: Code) -> None:
    presented = replace(RIGHT, client_id="other")
    assert isinstance(redeem(code, presented, family_id="second", now=NOW), CodeRefused)


@pytest.mark.parametrize(("seconds", "kind"), [(CODE_LIFE_S - 1, Redeemed), (CODE_LIFE_S, CodeRefused)])
def test_at_the_second_of_its_end_a_code_is_over(seconds: int, kind: type) -> None:
    assert isinstance(redeem(CODE, RIGHT, family_id="first", now=NOW + seconds), kind)


@pytest.mark.parametrize(
    "presented",
    [
        replace(RIGHT, redirect_uri=None),
        replace(RIGHT, redirect_uri="https://app.example.com/callback/"),
        replace(RIGHT, redirect_uri="https://app.example.com/other"),
        replace(RIGHT, verifier=None),
        replace(RIGHT, verifier=Secret("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")),
        replace(RIGHT, verifier=Secret("short")),
    ],
    ids=["no URI", "longer URI", "other URI", "no verifier", "the challenge", "malformed"],
)
def test_whoever_does_not_know_all_of_the_request_gets_nothing(presented: CodePresented) -> None:
    assert isinstance(redeem(CODE, presented, family_id="first", now=NOW), CodeRefused)


def test_a_verifier_where_there_was_no_challenge_is_refused() -> None:
    unbound = replace(CODE, challenge=None)
    assert isinstance(redeem(unbound, RIGHT, family_id="first", now=NOW), CodeRefused)
    assert isinstance(redeem(unbound, replace(RIGHT, verifier=None), family_id="first", now=NOW), Redeemed)
