"""The verifier: what it accepts, what it refuses and in which words."""

from collections.abc import Callable
from typing import Any

import pytest

from mapae import AccessToken, Misuse, TokenRejected, Verifier
from mapae.jose.errors import JoseErrorCode
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.testing import FixedClock, Issuer
from mapae.verifier import RejectionCode, Verifiers
from mapae.verifier.errors import _OF_JOSE

AUDIENCE = "https://api.example.com"
CLOCK = FixedClock()
NOW = int(CLOCK())
ISSUER = Issuer(audience=AUDIENCE, clock=CLOCK)


def _code(verifier: Verifier | Verifiers, raw: object) -> str:
    with pytest.raises(TokenRejected) as refused:
        verifier.verify(raw)
    return refused.value.code


def test_a_good_token_says_who_may_do_what() -> None:
    token = ISSUER.verifier().verify(
        ISSUER.token(subject="alice", scopes=["orders:read", "orders:write"], roles=["member"])
    )

    assert isinstance(token, AccessToken)
    assert token.subject == "alice"
    assert token.scopes == {"orders:read", "orders:write"}
    assert token.roles == {"member"}
    assert token.client_id == "test-client"
    assert token.session_id == "test-session"
    assert (token.issuer, token.audience) == (ISSUER.issuer, (AUDIENCE,))
    assert (token.issued_at, token.auth_time, token.expires_at) == (NOW, NOW, NOW + 300)
    assert token.claims["jti"] == token.jti


async def test_a_task_gets_the_same_answers() -> None:
    verifier, raw = ISSUER.verifier(), ISSUER.token()

    assert await verifier.averify(raw) == verifier.verify(raw)
    with pytest.raises(TokenRejected) as refused:
        await verifier.averify(ISSUER.token(expired=True))
    assert refused.value.code == "expired"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"alg": "none"}, "bad_signature"),
        ({"alg": "HS256"}, "bad_signature"),
        ({"tampered": True}, "bad_signature"),
        ({"unknown_key": True}, "unknown_key"),
        ({"issuer": "https://issuer.test/"}, "wrong_issuer"),
        ({"issuer": "https://ISSUER.test"}, "wrong_issuer"),
        ({"claims": {"iss": [ISSUER.issuer]}}, "wrong_issuer"),
        ({"claims": {"iss": None}}, "wrong_issuer"),
        ({"audience": "https://api.example.com/"}, "wrong_audience"),
        ({"claims": {"aud": None}}, "wrong_audience"),
        ({"claims": {"aud": []}}, "wrong_audience"),
        ({"claims": {"aud": ["https://other.example.com"]}}, "wrong_audience"),
        ({"claims": {"aud": {AUDIENCE: 1}}}, "malformed"),
        ({"typ": "JWT"}, "wrong_type"),
        ({"typ": "at+jwtx"}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"typ": "logout+jwt"}, "wrong_type"),
        ({"typ": "application/application/at+jwt"}, "wrong_type"),
        ({"expired": True}, "expired"),
        ({"not_yet_valid": True}, "not_yet_valid"),
        ({"claims": {"exp": None}}, "malformed"),
        ({"claims": {"exp": str(NOW + 300)}}, "malformed"),
        ({"claims": {"exp": True}}, "malformed"),
        ({"claims": {"iat": None}}, "malformed"),
        ({"claims": {"nbf": "now"}}, "malformed"),
        ({"claims": {"sub": None}}, "malformed"),
        ({"claims": {"jti": None}}, "malformed"),
        ({"claims": {"client_id": None}}, "malformed"),
        ({"claims": {"scope": ["orders:read"]}}, "malformed"),
        ({"claims": {"roles": "admin"}}, "malformed"),
        ({"claims": {"cnf": {"jkt": "x"}}}, "wrong_binding"),
        ({"claims": {"cnf": {}}}, "wrong_binding"),
        ({"claims": {"cnf": "x"}}, "malformed"),
    ],
    ids=str,
)
def test_each_fault_has_its_code(wrong: dict[str, Any], code: str) -> None:
    assert _code(ISSUER.verifier(), ISSUER.token(**wrong)) == code


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_is_accepted_in_every_form_of_the_specification(typ: str) -> None:
    assert ISSUER.verifier().verify(ISSUER.token(typ=typ)).subject == "alice"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        # the last second, and the one after
        ({"exp": NOW - 29}, None),
        ({"exp": NOW - 30}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": -1}, "expired"),
        ({"exp": NOW - 29.5}, None),
        ({"iat": NOW + 30}, None),
        ({"iat": NOW + 30.5}, "not_yet_valid"),
        ({"iat": NOW + 31}, "not_yet_valid"),
        ({"nbf": NOW + 30}, None),
        ({"nbf": NOW + 31}, "not_yet_valid"),
    ],
    ids=str,
)
def test_the_boundary_second_of_each_time_rule(claims: dict[str, Any], code: str | None) -> None:
    raw, verifier = ISSUER.token(claims=claims), ISSUER.verifier(leeway_s=30)

    if code is None:
        assert verifier.verify(raw).subject == "alice"
    else:
        assert _code(verifier, raw) == code


@pytest.mark.parametrize(
    ("leeway_s", "late_s", "accepted"), [(0, -1, True), (0, 0, False), (60, 59, True), (60, 60, False)]
)
def test_the_leeway_moves_the_boundary(leeway_s: int, late_s: int, accepted: bool) -> None:
    raw, verifier = ISSUER.token(claims={"exp": NOW - late_s}), ISSUER.verifier(leeway_s=leeway_s)

    if accepted:
        verifier.verify(raw)
    else:
        assert _code(verifier, raw) == "expired"


def test_a_token_from_the_cache_dies_in_the_same_second() -> None:
    clock = FixedClock()
    issuer = Issuer(audience=AUDIENCE, clock=clock)
    verifier, raw = issuer.verifier(), issuer.token()
    verifier.verify(raw)

    clock.advance(329)
    assert verifier.verify(raw).subject == "alice"
    clock.advance(1)
    assert _code(verifier, raw) == "expired"


@pytest.mark.parametrize("raw", [None, ""])
def test_no_token_is_missing(raw: object) -> None:
    assert _code(ISSUER.verifier(), raw) == "missing"


class _Hostile:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "raw",
    [
        0,
        1,
        True,
        b"",
        b"a.b.c",
        [],
        {},
        object(),
        _Hostile(),
        float("nan"),
        " ",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer a.b.c",
        "\ud800",
        "é.é.é",
        "\x00.\x00.\x00",
        "a" * 8193,
        ISSUER.token() + ".",
        "." + ISSUER.token(),
        ISSUER.token() + "\n",
        ISSUER.token()[:-1],
        ISSUER.token().replace(".", "..", 1),
    ],
    ids=lambda raw: repr(raw)[:20] if not isinstance(raw, _Hostile) else "hostile",
)
async def test_whatever_is_no_token_is_malformed(raw: object) -> None:
    verifier = ISSUER.verifier()

    assert _code(verifier, raw) == "malformed"
    with pytest.raises(TokenRejected):
        await verifier.averify(raw)


def test_one_of_several_audiences_is_enough() -> None:
    verifier = ISSUER.verifier(audience=[AUDIENCE, "https://other.example.com"])

    assert verifier.verify(ISSUER.token(audience="https://other.example.com")).subject == "alice"
    assert verifier.verify(ISSUER.token(claims={"aud": ["x", AUDIENCE]})).audience == ("x", AUDIENCE)
    assert _code(verifier, ISSUER.token(audience="x")) == "wrong_audience"


def test_an_algorithm_that_is_not_allowed_is_refused_although_the_key_is_known() -> None:
    assert _code(ISSUER.verifier(algorithms=["Ed25519"]), ISSUER.token()) == "bad_signature"


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "Ed25519", "PS256", "RS256"])
def test_every_algorithm_with_a_public_key_will_do(algorithm: str) -> None:
    issuer = Issuer(audience=AUDIENCE, algorithm=algorithm)

    assert issuer.verifier().verify(issuer.token()).subject == "alice"


def test_a_revoked_token_is_refused_in_the_cache_or_not() -> None:
    revoked: set[str] = set()
    verifier = ISSUER.verifier(revoked=lambda token: token.jti in revoked)
    raw = ISSUER.token()
    revoked.add(verifier.verify(raw).jti)

    assert _code(verifier, raw) == "revoked"
    assert ISSUER.verifier(revoked=lambda token: False).verify(raw).subject == "alice"


def test_keys_may_come_from_a_function_and_change() -> None:
    other = Issuer(audience=AUDIENCE, clock=CLOCK)
    held = [ISSUER.keys]
    verifier = ISSUER.verifier(keys=lambda: held[0])
    raw = ISSUER.token()
    verifier.verify(raw)

    held[0] = other.keys

    assert _code(verifier, raw) == "unknown_key"
    assert verifier.verify(other.token()).subject == "alice"


@pytest.mark.parametrize(
    "arguments",
    [
        {"issuer": ""},
        {"issuer": None},
        {"audience": None},
        {"audience": ""},
        {"audience": []},
        {"audience": [AUDIENCE, ""]},
        {"leeway_s": -1},
        {"leeway_s": 61},
        {"leeway_s": float("nan")},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256", "ES256"]},
        {"cache_size": -1},
        {"keys": None, "issuer": "http://auth.example.com"},
        {"keys": None, "issuer": "auth.example.com"},
        {"keys": None, "issuer": "https://auth.example.com?x=1"},
        {"keys": None, "issuer": "https://auth.example.com#x"},
    ],
    ids=str,
)
def test_wrong_use_is_told_where_the_verifier_is_made(arguments: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        ISSUER.verifier(**arguments)


def test_with_its_own_keys_an_issuer_need_not_be_a_url() -> None:
    assert (
        Verifier(issuer="tests", audience="x", keys=JwkSet([Jwk.generate("ES256").public()])).issuer
        == "tests"
    )


def test_every_jose_error_is_a_rejection() -> None:
    assert set(_OF_JOSE) == set(JoseErrorCode)


def test_the_codes_are_those_of_the_contract() -> None:
    assert " ".join(RejectionCode) == (
        "missing malformed bad_signature unknown_key wrong_issuer wrong_audience wrong_type expired not_yet_valid "
        "revoked wrong_binding insufficient_scope insufficient_user_authentication keys_unavailable"
    )


@pytest.mark.parametrize("code", RejectionCode)
def test_every_rejection_has_words_status_and_challenge(code: RejectionCode) -> None:
    rejected = TokenRejected(code, "detail for the log")

    assert rejected.description
    assert rejected.status == {"insufficient_scope": 403, "keys_unavailable": 503}.get(code, 401)
    assert rejected.challenge().startswith('Bearer realm="api"')
    assert "detail" not in rejected.challenge()
    assert str(rejected) == f"{code}: detail for the log"


def test_a_missing_token_is_challenged_without_an_error_code() -> None:
    assert TokenRejected(RejectionCode.MISSING, "").challenge() == 'Bearer realm="api"'


def test_a_challenge_names_code_words_realm_and_metadata() -> None:
    challenge = TokenRejected(RejectionCode.EXPIRED, "").challenge(
        realm="orders", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
    )

    assert challenge == (
        'Bearer realm="orders", error="invalid_token", error_description="The access token has expired.", '
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'
    )


def _pair(make: Callable[[Verifier, Verifier], Verifiers]) -> tuple[Issuer, Issuer, Verifiers]:
    one = Issuer(audience=AUDIENCE, issuer="https://one.test", clock=CLOCK)
    two = Issuer(audience="https://two.api", issuer="https://two.test", clock=CLOCK)
    return one, two, make(one.verifier(), two.verifier(leeway_s=0))


async def test_each_issuer_has_its_own_verifier_and_rules() -> None:
    one, two, verifiers = _pair(Verifiers)

    assert verifiers.verify(one.token()).issuer == "https://one.test"
    assert (await verifiers.averify(two.token())).issuer == "https://two.test"
    assert verifiers.verify(one.token(claims={"exp": NOW})).subject == "alice"
    assert _code(verifiers, two.token(claims={"exp": NOW})) == "expired"
    assert _code(verifiers, two.token(audience=AUDIENCE)) == "wrong_audience"


def test_naming_another_issuer_does_not_help() -> None:
    one, two, verifiers = _pair(Verifiers)

    assert _code(verifiers, one.token(issuer="https://two.test")) == "unknown_key"
    assert _code(verifiers, two.token(issuer="https://evil.test")) == "wrong_issuer"
    assert _code(verifiers, two.token(claims={"iss": ["https://two.test"]})) == "wrong_issuer"
    assert _code(verifiers, two.token(claims={"iss": None})) == "wrong_issuer"


@pytest.mark.parametrize(
    ("raw", "code"), [(None, "missing"), ("", "missing"), (1, "malformed"), ("x", "malformed")]
)
def test_what_names_no_issuer_is_refused_as_ever(raw: object, code: str) -> None:
    _, _, verifiers = _pair(Verifiers)

    assert _code(verifiers, raw) == code


def test_two_verifiers_of_one_issuer_and_none_at_all_are_misuse() -> None:
    with pytest.raises(Misuse):
        Verifiers()
    with pytest.raises(Misuse):
        Verifiers(ISSUER.verifier(), ISSUER.verifier())
