"""`oidcc-rp-initiated-logout-certification-test-plan`."""

import json
import secrets

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64encode

from tests.conformance.conftest import Conformance
from tests.conformance.relying_party import RelyingParty, end_session_state

PLAN = {
    "alias": "mapae-rp-logout",
    "client": {"client_id": "rp-logout", "client_secret": "secret of the client of the logout plan"},
}


@pytest.fixture
def rp(conformance: Conformance) -> RelyingParty:
    """A module that has begun, and signed somebody in."""
    return conformance.run(PLAN)


def is_sent_back(rp: RelyingParty, state: str | None) -> None:
    """The browser was sent to the client with its state and nothing else, and nobody is signed in any more."""
    (received,) = rp.browser.take()
    assert (received.method, received.path) == ("GET", "post_logout_redirect")
    assert received.query == ({} if state is None else {"state": state})
    rp.is_signed_out()


def is_told(rp: RelyingParty, words: str) -> None:
    """The browser was not sent to the client; a picture of our own page was taken."""
    assert rp.browser.take() == []
    assert words in rp.browser.pictures[0]


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(conformance: Conformance) -> None:
    metadata = conformance.provider.metadata()
    assert metadata["end_session_endpoint"].startswith("https://")


def test_oidcc_rp_initiated_logout(rp: RelyingParty) -> None:
    grant, state = rp.granted(), end_session_state()
    rp.log_out(id_token_hint=grant.id_token, post_logout_redirect_uri=back(rp), state=state)
    is_sent_back(rp, state)


def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(rp: RelyingParty) -> None:
    grant = rp.granted()
    wrong = f"{back(rp)}/{secrets.token_hex(5)}"
    rp.log_out(id_token_hint=grant.id_token, post_logout_redirect_uri=wrong, state=end_session_state())
    is_told(rp, "error")


def test_oidcc_rp_initiated_logout_modified_id_token_hint(rp: RelyingParty) -> None:
    header, payload, _ = rp.granted().id_token.split(".")
    members = {**rp.header_of(f"{header}.{payload}."), "alg": "none"}
    hint = f"{urlsafe_b64encode(json.dumps(members).encode()).decode()}.{payload}."
    rp.log_out(id_token_hint=hint, post_logout_redirect_uri=back(rp), state=end_session_state())
    is_told(rp, "error")


def test_oidcc_rp_initiated_logout_no_id_token_hint(rp: RelyingParty) -> None:
    rp.granted()
    rp.log_out(post_logout_redirect_uri=back(rp), state=end_session_state())
    is_told(rp, "error")


def test_oidcc_rp_initiated_logout_no_params(rp: RelyingParty) -> None:
    rp.granted()
    rp.log_out()
    assert "Confirm" in rp.browser.done
    is_told(rp, "You are signed out")
    rp.is_signed_out()


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(rp: RelyingParty) -> None:
    grant = rp.granted()
    rp.log_out(id_token_hint=grant.id_token, state=end_session_state())
    is_told(rp, "You are signed out")
    rp.is_signed_out()


def test_oidcc_rp_initiated_logout_no_state(rp: RelyingParty) -> None:
    grant = rp.granted()
    rp.log_out(id_token_hint=grant.id_token, post_logout_redirect_uri=back(rp))
    is_sent_back(rp, None)


def test_oidcc_rp_initiated_logout_only_state(rp: RelyingParty) -> None:
    rp.granted()
    rp.log_out(state=end_session_state())
    is_told(rp, "You are signed out")
    rp.is_signed_out()


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(rp: RelyingParty) -> None:
    grant = rp.granted()
    rp.log_out(
        id_token_hint=grant.id_token,
        post_logout_redirect_uri=f"{back(rp)}?foo=bar",
        state=end_session_state(),
    )
    is_told(rp, "error")


@pytest.mark.parametrize("kid", [None, "of the suite"])
def test_oidcc_rp_initiated_logout_bad_id_token_hint(rp: RelyingParty, kid: str | None) -> None:
    claims = rp.granted().claims
    secret = OctKey.import_key(rp.provider.config["client"]["client_secret"])
    hint = jwt.encode({"alg": "HS256"} | ({"kid": kid} if kid else {}), dict(claims), secret)
    rp.log_out(id_token_hint=hint, post_logout_redirect_uri=back(rp), state=end_session_state())
    is_told(rp, "error")


def back(rp: RelyingParty) -> str:
    """Where the client wants to hear of it."""
    return f"{rp.address}/post_logout_redirect"
