"""Whatever is presented, signed or not, the answer is a token or a TokenRejected: CWE-248, RFC 8725 section 2."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mapae import AccessToken, TokenRejected
from mapae.jose import base64url, jws, jwt, strict_json
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.testing import FixedClock, Issuer
from mapae.verifier import presented_token

KEY = Jwk.generate("ES256")
ISSUER = Issuer(audience="https://api.example.com", clock=FixedClock())
VERIFIER = ISSUER.verifier(keys=JwkSet([KEY.public()]))
USUAL = jwt.parse_claims(jws.split(ISSUER.token(scopes=["orders:read"], roles=["member"])).payload)
FUZZ = settings(max_examples=150, deadline=None)

_text = st.text(st.characters(codec="utf-8"), max_size=20)
_json: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from([*USUAL, "nbf", "cnf", "acr", "amr", "act", "tenant"])


def _present(raw: object) -> AccessToken | TokenRejected:
    try:
        return VERIFIER.verify(raw)
    except TokenRejected as rejected:
        return rejected


@FUZZ
@given(st.text() | st.binary() | _json | st.complex_numbers() | st.datetimes())
def test_nothing_unsigned_is_accepted(raw: Any) -> None:
    assert isinstance(_present(raw), TokenRejected)


@FUZZ
@given(st.dictionaries(_names | _text, _json, max_size=6))
def test_an_issuer_that_signs_anything_breaks_nothing(changes: dict[str, Any]) -> None:
    claims = {**USUAL, **changes}

    outcome = _present(jwt.sign_claims(claims, KEY, typ="at+jwt"))

    if isinstance(outcome, AccessToken):
        # Only claims that are none of ours, or still of the right type, can have got through.
        assert (outcome.issuer, outcome.claims["iss"]) == (ISSUER.issuer, ISSUER.issuer)
        assert isinstance(outcome.subject, str)
        assert all(isinstance(name, str) for name in outcome.scopes | outcome.roles)
        assert outcome.expires_at + 30 > ISSUER.clock()


@FUZZ
@given(
    st.dictionaries(
        st.sampled_from(["alg", "typ", "kid", "crit", "b64", "cty", "jwk"]) | _text, _json, max_size=5
    )
)
def test_no_header_breaks_anything(header: dict[str, Any]) -> None:
    encoded = base64url.encode(strict_json.dump({"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid, **header}))
    payload = base64url.encode(strict_json.dump(USUAL))

    assert isinstance(_present(f"{encoded}.{payload}.{base64url.encode(bytes(64))}"), TokenRejected)


@FUZZ
@given(st.data())
def test_no_single_change_of_a_good_token_is_accepted(data: st.DataObject) -> None:
    good = jwt.sign_claims(USUAL, KEY, typ="at+jwt")
    position = data.draw(st.integers(0, len(good) - 1))
    character = data.draw(st.characters(codec="ascii").filter(lambda one: one != good[position]))

    assert isinstance(_present(good[:position] + character + good[position + 1 :]), TokenRejected)


@FUZZ
@given(st.lists(st.text() | st.from_regex(r"[Bb]earer [A-Za-z0-9._=-]*"), max_size=3), st.text())
def test_no_header_and_query_break_the_reading_of_a_request(authorization: list[str], query: str) -> None:
    refused = None
    try:
        raw = presented_token(authorization, query=query)
    except TokenRejected as rejected:
        refused, raw = rejected, None

    assert raw is None or raw.isascii()
    assert refused is None or refused.status in {400, 401}


def test_the_claims_the_fuzzer_starts_from_are_good() -> None:
    assert isinstance(_present(jwt.sign_claims(USUAL, KEY, typ="at+jwt")), AccessToken)
