"""Making an API fetch, fill up or forget: RFC 8725 section 3.10, OWASP WSTG-INPV-19, CWE-400, CWE-471."""

from collections.abc import Iterator
from typing import Any

import pytest

from mapae import TokenRejected, Verifier
from mapae.jose import base64url, jwt, strict_json
from mapae.jose.jwk import Jwk
from mapae.testing import FixedClock, Issuer
from tests.verifier.loopback import KEYS, METADATA, LoopbackIssuer, document, loopback_issuer, raw

AUDIENCE = "https://api.example.com"
KEY = Jwk.generate("ES256")
CLOCK = FixedClock()


@pytest.fixture
def server() -> Iterator[LoopbackIssuer]:
    with loopback_issuer() as issuer:
        issuer.publish(KEY)
        yield issuer


@pytest.fixture
def age() -> FixedClock:
    return FixedClock(1000)


@pytest.fixture
def verifier(server: LoopbackIssuer, age: FixedClock) -> Verifier:
    return Verifier(issuer=server.url, audience=AUDIENCE, clock=CLOCK, monotonic=age)


def _token(server: LoopbackIssuer, key: Jwk = KEY, **claims: Any) -> str:
    now = int(CLOCK())
    usual = {"iss": server.url, "sub": "a", "aud": AUDIENCE, "exp": now + 300, "iat": now, "client_id": "c"}
    return jwt.sign_claims({**usual, "jti": "1", **claims}, key, typ="at+jwt")


def _forged(**header: Any) -> str:
    encoded = base64url.encode(strict_json.dump({"alg": "ES256", "typ": "at+jwt", **header}))
    return f"{encoded}.{base64url.encode(b'{}')}.{base64url.encode(bytes(64))}"


def test_a_flood_before_the_first_good_token_makes_one_fetch(
    verifier: Verifier, server: LoopbackIssuer
) -> None:
    for number in range(100):
        with pytest.raises(TokenRejected, match="unknown_key"):
            verifier.verify(_forged(kid=f"forged-{number}"))

    assert server.requests == [METADATA, KEYS]
    assert verifier.verify(_token(server)).subject == "a"


def test_a_flood_while_the_issuer_is_away_makes_one_fetch(verifier: Verifier, server: LoopbackIssuer) -> None:
    server.answers.clear()

    for number in range(100):
        with pytest.raises(TokenRejected, match="keys_unavailable"):
            verifier.verify(_forged(kid=f"forged-{number}"))

    assert server.requests.count(METADATA) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1--"},
        {"kid": "http://169.254.169.254/"},
        {"kid": "a\r\nX: y"},
        {"kid": "\x00"},
        {"kid": "k" * 5000},
        {"kid": KEY.kid, "jku": "http://169.254.169.254/"},
        {"kid": KEY.kid, "x5u": "http://169.254.169.254/"},
    ],
    ids=["path", "sql", "url", "header", "nul", "long", "jku", "x5u"],
)
def test_a_header_leads_nowhere_but_to_the_issuer(
    verifier: Verifier, server: LoopbackIssuer, header: dict[str, Any]
) -> None:
    with pytest.raises(TokenRejected) as refused:
        verifier.verify(_forged(**header))

    assert refused.value.code in {"unknown_key", "bad_signature"}
    assert set(server.requests) == {METADATA, KEYS}


@pytest.mark.parametrize(
    "header", [{"kid": 1}, {"kid": {}}, {"kid": None}, {"kid": []}, {"typ": 1}, {"crit": ["x"]}]
)
def test_a_header_that_is_none_makes_no_fetch(
    verifier: Verifier, server: LoopbackIssuer, header: dict[str, Any]
) -> None:
    with pytest.raises(TokenRejected, match="malformed"):
        verifier.verify(_forged(**header))

    assert server.requests == []


def test_keys_that_turn_hostile_do_not_replace_good_ones(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock
) -> None:
    good = _token(server)
    verifier.verify(good)
    for answer in (
        raw(b"<html>"),
        raw(b" " * 1_000_000),
        document({"keys": []}),
        document({"keys": [{"kty": "oct", "k": "AAAA", "kid": KEY.kid}]}),
        document({"keys": [KEY.to_dict()]}),
        raw(b"", status=302, headers={"Location": "http://169.254.169.254/"}),
    ):
        server.answers[KEYS] = answer
        age.advance(400)
        assert verifier.verify(good).subject == "a"
        pending = verifier._steps.keys.refetch()
        if pending is not None:
            pending.wait()
        assert verifier.verify(good).subject == "a"


def test_rejected_tokens_take_no_place_in_the_cache() -> None:
    issuer = Issuer(audience=AUDIENCE)
    verifier = issuer.verifier(cache_size=1)
    for _ in range(10):
        with pytest.raises(TokenRejected):
            verifier.verify(issuer.token(tampered=True))

    cache = verifier._steps.cache
    assert not cache._young
    assert not cache._old


def test_a_view_cannot_make_the_next_request_an_admin() -> None:
    issuer = Issuer(audience=AUDIENCE)
    verifier, raw_token = issuer.verifier(), issuer.token(roles=["member"])
    token: Any = verifier.verify(raw_token)

    for change in (
        lambda: token.claims.update(roles=["admin"]),
        lambda: token.claims["roles"].append("admin"),
        lambda: setattr(token, "roles", {"admin"}),
        lambda: token.roles.add("admin"),
        lambda: token.scopes.add("orders:write"),
    ):
        with pytest.raises((AttributeError, TypeError)):
            change()

    assert verifier.verify(raw_token).roles == {"member"}
