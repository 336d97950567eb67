"""The issuer for tests: every switch makes the one fault it names, and only that."""

from typing import Any

import pytest

from mapae import TokenRejected
from mapae.jose import jws, jwt
from mapae.testing import FixedClock, Issuer

AUDIENCE = "https://api.example.com"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(audience=AUDIENCE)


def test_a_token_is_good_unless_asked_otherwise(issuer: Issuer) -> None:
    token = issuer.verifier().verify(issuer.token(subject="alice", scopes=["orders:read"], roles=["admin"]))

    assert (token.subject, token.scopes, token.roles) == (
        "alice",
        frozenset({"orders:read"}),
        frozenset({"admin"}),
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"expired": True}, "expired"),
        ({"not_yet_valid": True}, "not_yet_valid"),
        ({"alg": "none"}, "bad_signature"),
        ({"alg": "HS256"}, "bad_signature"),
        ({"tampered": True}, "bad_signature"),
        ({"unknown_key": True}, "unknown_key"),
        ({"audience": "https://other.example.com"}, "wrong_audience"),
        ({"issuer": "https://other.test"}, "wrong_issuer"),
        ({"typ": "JWT"}, "wrong_type"),
        ({"claims": {"cnf": {"jkt": "x"}}}, "wrong_binding"),
        ({"claims": {"client_id": None}}, "malformed"),
    ],
    ids=str,
)
def test_each_switch_makes_its_fault(issuer: Issuer, options: dict[str, Any], code: str) -> None:
    with pytest.raises(TokenRejected) as refused:
        issuer.verifier().verify(issuer.token(**options))

    assert refused.value.code == code


def test_unsigned_and_confused_tokens_are_what_they_say(issuer: Issuer) -> None:
    unsigned, confused = (jws.split(issuer.token(alg=alg)) for alg in ("none", "HS256"))

    assert (unsigned.header["alg"], unsigned.signature) == ("none", b"")
    assert (confused.header["alg"], len(confused.signature)) == ("HS256", 32)


def test_a_tampered_token_keeps_its_signature_and_names_someone_else(issuer: Issuer) -> None:
    tampered = jws.split(issuer.token(subject="alice", tampered=True))

    assert jwt.parse_claims(tampered.payload)["sub"] == "mallory"


def test_claims_are_added_replaced_and_removed(issuer: Issuer) -> None:
    raw = issuer.token(claims={"tenant": "t1", "sub": "bob", "sid": None})
    token = issuer.verifier().verify(raw)

    assert (token.claims["tenant"], token.subject, token.session_id) == ("t1", "bob", None)


def test_every_token_has_its_own_identifier(issuer: Issuer) -> None:
    verifier = issuer.verifier()

    assert verifier.verify(issuer.token()).jti != verifier.verify(issuer.token()).jti


def test_issuers_do_not_share_keys(issuer: Issuer) -> None:
    with pytest.raises(TokenRejected, match="unknown_key"):
        issuer.verifier().verify(Issuer(audience=AUDIENCE).token())


def test_the_verifier_takes_further_rules(issuer: Issuer) -> None:
    verifier = issuer.verifier(audience="https://other.example.com")

    assert verifier.verify(issuer.token(audience="https://other.example.com")).subject == "alice"


def test_time_passes_when_told_to() -> None:
    clock = FixedClock()
    issuer = Issuer(audience=AUDIENCE, clock=clock)
    verifier, raw = issuer.verifier(leeway_s=0), issuer.token()
    verifier.verify(raw)
    clock.advance(300)

    with pytest.raises(TokenRejected, match="expired"):
        verifier.verify(raw)
