"""`oidcc-backchannel-rp-initiated-logout-certification-test-plan`."""

import time

from joserfc import jws, jwt

from tests.conformance.checks import SKEW_S
from tests.conformance.conftest import Conformance
from tests.conformance.relying_party import end_session_state

PLAN = {
    "alias": "mapae-backchannel",
    "client": {
        "client_id": "backchannel",
        "client_secret": "secret of the client of the back-channel plan",
    },
}
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def test_oidcc_backchannel_logout_discovery_endpoint_verification(conformance: Conformance) -> None:
    metadata = conformance.provider.metadata()
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
    assert metadata["end_session_endpoint"].startswith("https://")


def test_oidcc_backchannel_rp_initiated_logout(conformance: Conformance) -> None:
    rp = conformance.run(PLAN)
    grant, back, state = rp.granted(), f"{rp.address}/post_logout_redirect", end_session_state()
    rp.log_out(id_token_hint=grant.id_token, post_logout_redirect_uri=back, state=state)
    (received,) = rp.browser.take()
    assert (received.path, received.query) == ("post_logout_redirect", {"state": state})
    heard = conformance.listener.next()
    assert (heard.path, heard.query) == ("backchannel_logout", {})
    assert heard.form is not None
    assert set(heard.form) == {"logout_token"}
    # Back-Channel Logout section 2.4.
    assert jws.extract_compact(heard.form["logout_token"].encode()).headers()["alg"] == "RS256"
    token = jwt.decode(heard.form["logout_token"], rp.keys, algorithms=["RS256"])
    claims = token.claims
    assert claims["iss"] == rp.metadata["issuer"]
    assert claims["aud"] in (rp.client_id, [rp.client_id])
    assert abs(claims["iat"] - time.time()) < SKEW_S
    assert claims["exp"] > time.time()
    assert claims["jti"]
    assert claims["events"] == {EVENT: {}}
    assert claims["sub"] == grant.claims["sub"]
    assert claims["sid"] == grant.claims["sid"]
    assert "nonce" not in claims
    rp.is_signed_out()
    assert conformance.listener.is_silent()
