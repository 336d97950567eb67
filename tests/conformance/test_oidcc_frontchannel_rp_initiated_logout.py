"""`oidcc-frontchannel-rp-initiated-logout-certification-test-plan`."""

from tests.conformance.conftest import Conformance
from tests.conformance.relying_party import end_session_state

PLAN = {
    "alias": "mapae-frontchannel",
    "client": {
        "client_id": "frontchannel",
        "client_secret": "secret of the client of the front-channel plan",
    },
}


def test_oidcc_frontchannel_logout_discovery_endpoint_verification(conformance: Conformance) -> None:
    metadata = conformance.provider.metadata()
    assert metadata["frontchannel_logout_supported"] is True
    assert metadata["frontchannel_logout_session_supported"] is True
    assert metadata["end_session_endpoint"].startswith("https://")


def test_oidcc_frontchannel_rp_initiated_logout(conformance: Conformance) -> None:
    rp = conformance.run(PLAN)
    grant, back, state = rp.granted(), f"{rp.address}/post_logout_redirect", end_session_state()
    rp.log_out(id_token_hint=grant.id_token, post_logout_redirect_uri=back, state=state)
    # The frame is there first, and the client hears of the end once.
    frame, redirect = rp.browser.take()
    assert (frame.method, frame.path) == ("GET", "frontchannel_logout")
    assert frame.query == {"iss": rp.metadata["issuer"], "sid": grant.claims["sid"]}
    assert (redirect.method, redirect.path) == ("GET", "post_logout_redirect")
    assert redirect.query == {"state": state}
    rp.is_signed_out()
