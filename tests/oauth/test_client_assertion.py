"""Client assertions (RFC 7523 section 3): row by row what is accepted, and to the second how long."""

from typing import Any

import pytest

from mapae.jose import base64url, jws, strict_json
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.oauth.client_assertion import LEEWAY_S, MAX_LIFE_S, ClientAssertion, Proof
from mapae.oauth.errors import ErrorCode, OAuthError

NOW = 1_800_000_000
ISSUER = "https://auth.example.com"
ENDPOINT = f"{ISSUER}/oauth/token"
KEY, RSA = Jwk.generate("ES256", kid="one"), Jwk.generate("RS256", kid="two")
KEYS = JwkSet([KEY.public(), RSA.public()])
CLAIMS: dict[str, Any] = {
    "iss": "payroll",
    "sub": "payroll",
    "aud": ISSUER,
    "exp": NOW + 60,
    "iat": NOW,
    "jti": "one-use",
}


def assertion(key: Jwk = KEY, header: dict[str, Any] | None = None, without: str = "", **claims: Any) -> str:
    named = {name: value for name, value in {**CLAIMS, **claims}.items() if name != without}
    return jws.sign(strict_json.dump(named), key, algorithm=str(key.alg), extra=header)


def check(text: str, *, keys: JwkSet = KEYS, algorithm: str | None = None, now: float = NOW) -> Proof:
    return ClientAssertion.parse(text).check(keys, audiences={ISSUER, ENDPOINT}, algorithm=algorithm, now=now)


@pytest.mark.parametrize(
    "text",
    [
        assertion(),
        assertion(RSA),
        assertion(aud=ENDPOINT),
        assertion(without="iat"),
        assertion(nbf=NOW),
        assertion(header={"typ": "JWT"}),
        assertion(header={"typ": "client-authentication+jwt"}),
        assertion(header={"typ": "application/client-authentication+jwt"}),
        assertion(exp=NOW + 60.5),
        assertion(scope="anything else"),
    ],
)
def test_a_right_assertion_proves_the_client_once(text: str) -> None:
    proof = check(text)
    assert ClientAssertion.parse(text).client_id == "payroll"
    assert proof.jti == "one-use"
    assert NOW + 60 < proof.expires_at <= NOW + 60 + LEEWAY_S + 1, "remembered for as long as it is good"


@pytest.mark.parametrize(
    "text",
    [
        assertion(aud=[ISSUER]),
        assertion(aud=[ENDPOINT, "https://other.example.com/token"]),
        assertion(without="aud"),
        assertion(aud="https://other.example.com/token"),
        assertion(aud=f"{ISSUER}/"),
        assertion(aud=f"{ENDPOINT}/"),
        assertion(aud=None),
        assertion(aud={}),
        assertion(without="exp"),
        assertion(exp="soon"),
        assertion(exp=True),
        assertion(exp=NOW - 86400),
        assertion(exp=NOW + 86400),
        assertion(exp=1e300),
        assertion(nbf=NOW + 3600),
        assertion(iat=NOW + 3600),
        assertion(iat="now"),
        assertion(without="jti"),
        assertion(jti=""),
        assertion(jti=7),
        assertion(jti="x" * 257),
        assertion(header={"typ": "at+jwt"}),
        assertion(header={"typ": "logout+jwt"}),
        assertion(header={"typ": "dpop+jwt"}),
        assertion(header={"typ": ""}),
    ],
)
def test_a_wrong_assertion_is_an_invalid_client(text: str) -> None:
    with pytest.raises(OAuthError) as refused:
        check(text)
    assert refused.value.code is ErrorCode.INVALID_CLIENT
    assert "one-use" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a token",
        "a.b.c",
        "a." * 5000,
        assertion(without="sub"),
        assertion(without="iss"),
        assertion(iss="other"),
        assertion(iss="", sub=""),
        assertion(iss=["payroll"], sub=["payroll"]),
        assertion(padding="x" * 8192),
    ],
)
def test_what_names_no_client_is_refused_before_a_key_is_looked_for(text: str) -> None:
    with pytest.raises(OAuthError) as refused:
        ClientAssertion.parse(text)
    assert refused.value.code is ErrorCode.INVALID_CLIENT


@pytest.mark.parametrize(
    ("exp", "good"),
    [
        (NOW - LEEWAY_S, False),
        (NOW - LEEWAY_S + 1, True),
        (NOW + MAX_LIFE_S + LEEWAY_S, True),
        (NOW + MAX_LIFE_S + LEEWAY_S + 1, False),
    ],
)
def test_the_life_of_an_assertion_has_its_ends(exp: int, good: bool) -> None:
    if good:
        assert check(assertion(exp=exp)).expires_at > NOW
    else:
        with pytest.raises(OAuthError):
            check(assertion(exp=exp))


class TestKeys:
    def refused(self, text: str, keys: JwkSet = KEYS, algorithm: str | None = None) -> bool:
        with pytest.raises(OAuthError) as refused:
            check(text, keys=keys, algorithm=algorithm)
        return refused.value.code is ErrorCode.INVALID_CLIENT

    def test_another_clients_key_proves_nothing(self) -> None:
        assert self.refused(assertion(Jwk.generate("ES256", kid="one")))
        assert self.refused(assertion(Jwk.generate("ES256", kid="unknown")))

    def test_none_is_no_algorithm(self) -> None:
        _, payload, _ = assertion().split(".")
        for alg in ("none", "None", "NONE"):
            header = base64url.encode(strict_json.dump({"alg": alg}))
            assert self.refused(f"{header}.{payload}.")

    def test_a_public_key_is_no_shared_secret(self) -> None:
        """The classic confusion: the attacker knows the public key and uses it as one of HMAC."""
        public = strict_json.dump(KEY.public().to_dict())
        shared = Jwk.parse({"kty": "oct", "k": base64url.encode(public), "alg": "HS256", "kid": "one"})
        assert self.refused(assertion(shared))

    def test_only_the_algorithm_that_is_registered(self) -> None:
        assert check(assertion(), algorithm="ES256").jti
        assert self.refused(assertion(RSA), algorithm="ES256")

    def test_without_a_kid_only_a_key_that_stands_alone(self) -> None:
        nameless = _without_kid(KEY)
        assert check(assertion(nameless), keys=JwkSet([KEY.public()])).jti
        assert self.refused(assertion(nameless), keys=JwkSet([KEY.public(), _other().public()]))

    def test_a_changed_claim_is_noticed(self) -> None:
        header, _, signature = assertion().split(".")
        payload = base64url.encode(strict_json.dump({**CLAIMS, "iss": "admin", "sub": "admin"}))
        assert self.refused(f"{header}.{payload}.{signature}")


def _without_kid(key: Jwk) -> Jwk:
    return Jwk.parse({name: value for name, value in key.to_dict().items() if name != "kid"})


def _other() -> Jwk:
    return Jwk.generate("ES256", kid="other")
