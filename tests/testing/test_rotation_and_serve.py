"""Keys that rotate, and an issuer that is fetched from over a socket."""

import json
import urllib.error
import urllib.request

import pytest

from mapae import TokenRejected
from mapae.testing import FixedClock, Issuer, serve

AUDIENCE = "https://api.example.com"


def test_a_verifier_of_the_issuer_follows_its_keys() -> None:
    issuer = Issuer(audience=AUDIENCE)
    verifier, before = issuer.verifier(), issuer.token()
    issuer.rotate()

    assert len(issuer.keys) == 2
    assert verifier.verify(issuer.token()).jti != verifier.verify(before).jti


def test_a_key_that_is_gone_takes_its_tokens_along() -> None:
    issuer = Issuer(audience=AUDIENCE)
    verifier, before = issuer.verifier(), issuer.token()
    verifier.verify(before)
    issuer.rotate(keep=False)

    assert verifier.verify(issuer.token()).subject == "alice"
    with pytest.raises(TokenRejected, match="unknown_key"):
        verifier.verify(before)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_verifier_knows_a_served_issuer_by_its_url_alone(algorithm: str) -> None:
    with serve(audience=AUDIENCE, algorithm=algorithm) as issuer:
        verifier = issuer.verifier()

        assert verifier.verify(issuer.token(subject="bob")).subject == "bob"
        assert issuer.requests == ["/.well-known/openid-configuration", "/.well-known/jwks.json"]


def test_a_served_issuer_that_rotates_is_asked_again_once_the_cool_down_is_over() -> None:
    clock = FixedClock()
    with serve(audience=AUDIENCE) as issuer:
        verifier = issuer.verifier(monotonic=clock)
        verifier.verify(issuer.token())
        issuer.rotate()
        with pytest.raises(TokenRejected, match="unknown_key"):
            verifier.verify(issuer.token())
        clock.advance(30)

        assert verifier.verify(issuer.token()).subject == "alice"


def test_a_served_issuer_may_be_away() -> None:
    with serve(audience=AUDIENCE) as issuer:
        known, new = issuer.verifier(), issuer.verifier()
        known.verify(issuer.token())
        issuer.reachable = False

        assert known.verify(issuer.token()).subject == "alice"
        with pytest.raises(TokenRejected, match="keys_unavailable"):
            new.verify(issuer.token())


def test_nothing_else_is_served() -> None:
    with serve(audience=AUDIENCE) as issuer:
        with urllib.request.urlopen(f"{issuer.issuer}/.well-known/jwks.json") as answer:
            (key,) = json.load(answer)["keys"]
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{issuer.issuer}/")

    missing.value.close()
    assert (missing.value.code, "d" in key) == (404, False)
