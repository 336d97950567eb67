"""The claims of ID tokens."""

from mapae.oauth.id_token import IdTokenClaims, access_token_hash


def test_the_hash_of_an_access_token_is_that_of_the_specification() -> None:
    # OpenID Connect Core, appendix A.3 and A.4.
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert access_token_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert len(access_token_hash(token, "EdDSA")) == 43


def test_claims_about_the_user_never_replace_those_about_the_sign_in() -> None:
    claims = IdTokenClaims(
        iss="https://auth.example.com",
        sub="user",
        aud="web",
        exp=2,
        iat=1,
        auth_time=1,
        sid="session",
        acr="1",
        amr=("pwd",),
        at_hash="hash",
        user={"email": "alice@example.com", "sub": "somebody else", "iss": "elsewhere"},
    )
    printed = claims.to_dict()
    assert (printed["sub"], printed["iss"], printed["email"]) == (
        "user",
        "https://auth.example.com",
        "alice@example.com",
    )
    assert "nonce" not in printed
