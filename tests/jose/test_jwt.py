"""jwt.py: claim sets, and each check with its boundary."""

from typing import Any

import pytest

from mapae.jose import jwt
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from tests.jose.forge import accept, key, refusal

NOW = 1_800_000_000


def test_claims_are_signed_with_the_algorithm_of_the_key_and_come_back() -> None:
    claims = {"iss": "https://auth.example.com", "sub": "é", "exp": NOW}
    found = accept(jwt.sign_claims(claims, key("ES256"), typ="at+jwt"), key("ES256"))
    assert found.header == {"alg": "ES256", "typ": "at+jwt", "kid": key("ES256").kid}
    assert jwt.parse_claims(found.payload) == claims


def test_a_key_without_alg_signs_no_claims() -> None:
    nameless = Jwk.parse({name: value for name, value in key("ES256").to_dict().items() if name != "alg"})
    assert refusal(jwt.sign_claims, {}, nameless, typ="JWT") == JoseErrorCode.UNUSABLE_KEY


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_the_type_is_a_media_type(typ: str) -> None:
    jwt.check_type({"typ": typ}, "at+jwt")


@pytest.mark.parametrize(
    "typ", [None, "", "JWT", "jwt", "at", "at+jwt ", "x/at+jwt", "application/application/at+jwt"]
)
def test_another_type_is_refused(typ: str | None) -> None:
    header = {} if typ is None else {"typ": typ}
    assert refusal(jwt.check_type, header, "at+jwt") == JoseErrorCode.WRONG_TYPE


@pytest.mark.parametrize(
    "claims",
    [
        {},
        *(
            {"iss": iss}
            for iss in (None, 1, ["https://a.example"], "", "https://a.example/", "https://A.example")
        ),
    ],
)
def test_another_issuer_is_refused(claims: dict[str, Any]) -> None:
    assert refusal(jwt.check_issuer, claims, "https://a.example") == JoseErrorCode.WRONG_ISSUER
    jwt.check_issuer({"iss": "https://a.example"}, "https://a.example")


@pytest.mark.parametrize("aud", ["a", ["a"], ["x", "a"], "b", ["b", "a"]])
def test_an_audience_that_names_one_of_ours_is_good(aud: Any) -> None:
    jwt.check_audience({"aud": aud}, {"a", "b"})
    jwt.check_audience({"aud": [aud] if isinstance(aud, str) else aud}, ["a", "b"])


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, JoseErrorCode.WRONG_AUDIENCE),
        ({"aud": []}, JoseErrorCode.WRONG_AUDIENCE),
        ({"aud": "api.example"}, JoseErrorCode.WRONG_AUDIENCE),
        ({"aud": "https"}, JoseErrorCode.WRONG_AUDIENCE),
        ({"aud": ["https://api.example.com.evil"]}, JoseErrorCode.WRONG_AUDIENCE),
        ({"aud": None}, JoseErrorCode.MALFORMED),
        ({"aud": 1}, JoseErrorCode.MALFORMED),
        ({"aud": {"https://api.example.com": 1}}, JoseErrorCode.MALFORMED),
        ({"aud": ["https://api.example.com", 1]}, JoseErrorCode.MALFORMED),
        ({"aud": [["https://api.example.com"]]}, JoseErrorCode.MALFORMED),
    ],
)
def test_another_audience_is_refused(claims: dict[str, Any], code: JoseErrorCode) -> None:
    assert refusal(jwt.check_audience, claims, "https://api.example.com") == code


@pytest.mark.parametrize(
    ("exp", "leeway_s", "good"),
    [
        (NOW + 1, 0, True),
        (NOW, 0, False),
        (NOW + 0.5, 0, True),
        (NOW - 29, 30, True),
        (NOW - 30, 30, False),
        (0, 30, False),
        (-1, 30, False),
        (2**63, 30, True),
        (1e308, 30, True),
        (-1e308, 30, False),
    ],
)
def test_a_token_is_over_when_exp_is_reached(exp: float, leeway_s: int, good: bool) -> None:
    def check() -> None:
        jwt.check_times({"exp": exp}, now=NOW, leeway_s=leeway_s)

    if good:
        check()
    else:
        assert refusal(check) == JoseErrorCode.EXPIRED


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize(
    ("value", "leeway_s", "good"),
    [
        (NOW, 0, True),
        (NOW + 1, 0, False),
        (NOW + 0.5, 0, False),
        (NOW + 30, 30, True),
        (NOW + 31, 30, False),
        (0, 0, True),
        (2**63, 30, False),
    ],
)
def test_a_token_from_the_future_is_refused(name: str, value: float, leeway_s: int, good: bool) -> None:
    def check() -> None:
        jwt.check_times({"exp": NOW + 300, name: value}, now=NOW, leeway_s=leeway_s)

    if good:
        check()
    else:
        assert refusal(check) == JoseErrorCode.NOT_YET_VALID


def test_nbf_and_iat_may_be_missing_and_exp_may_not() -> None:
    jwt.check_times({"exp": NOW + 1}, now=NOW)
    assert refusal(jwt.check_times, {"nbf": NOW, "iat": NOW}, now=NOW) == JoseErrorCode.MALFORMED


@pytest.mark.parametrize("value", ["1800000001", True, False, None, [], {}, [NOW]])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_date_is_a_number(name: str, value: object) -> None:
    assert refusal(jwt.check_times, {"exp": NOW + 300, name: value}, now=NOW) == JoseErrorCode.MALFORMED
