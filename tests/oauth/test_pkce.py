"""Challenge and verifier of RFC 7636."""

import pytest

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.pkce import S256, Challenge
from mapae.secret import Secret

#: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_verifier_of_the_rfc_fits_its_challenge() -> None:
    Challenge.parse(CHALLENGE, S256).require(Secret(VERIFIER))


@pytest.mark.parametrize("method", [None, "plain", "s256", "S512", ""])
def test_only_s256_is_taken(method: str | None) -> None:
    with pytest.raises(OAuthError) as refused:
        Challenge.parse(CHALLENGE, method)
    assert refused.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("challenge", ["", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE[:-1] + "=", "é" * 43])
def test_a_challenge_is_a_digest_in_base64url(challenge: str) -> None:
    with pytest.raises(OAuthError) as refused:
        Challenge.parse(challenge, S256)
    assert refused.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(
    "verifier",
    ["", CHALLENGE, VERIFIER[:-1] + "l", VERIFIER[:-1], VERIFIER + "A" * 86, VERIFIER[:-1] + "é"],
    ids=["none", "the challenge itself", "another", "42 characters", "129 characters", "not ASCII"],
)
def test_another_verifier_is_an_invalid_grant(verifier: str) -> None:
    with pytest.raises(OAuthError) as refused:
        Challenge.parse(CHALLENGE, S256).require(Secret(verifier))
    assert refused.value.code is ErrorCode.INVALID_GRANT
