"""`oidcc-config-certification-test-plan`."""

import re

from joserfc.jwk import KeySet, KeySetSerialization

from tests.conformance.conftest import Conformance

#: Names of IANA's registry "OAuth Authorization Server Metadata", as far as they may concern this server.
REGISTERED = {
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint",
    "introspection_endpoint", "revocation_endpoint", "end_session_endpoint", "device_authorization_endpoint",
    "pushed_authorization_request_endpoint", "require_pushed_authorization_requests", "scopes_supported",
    "response_types_supported", "response_modes_supported", "grant_types_supported", "acr_values_supported",
    "subject_types_supported", "id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported",
    "request_object_signing_alg_values_supported", "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported", "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported", "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported", "code_challenge_methods_supported",
    "authorization_response_iss_parameter_supported", "prompt_values_supported", "display_values_supported",
    "ui_locales_supported", "claims_locales_supported", "claim_types_supported", "claims_supported",
    "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
    "require_request_uri_registration", "require_signed_request_object", "service_documentation", "op_policy_uri",
    "op_tos_uri", "backchannel_logout_supported", "backchannel_logout_session_supported",
    "frontchannel_logout_supported", "frontchannel_logout_session_supported", "dpop_signing_alg_values_supported",
    "tls_client_certificate_bound_access_tokens", "mtls_endpoint_aliases", "authorization_details_types_supported",
    "protected_resources",
}  # fmt: skip


def test_oidcc_discovery_endpoint_verification(conformance: Conformance) -> None:
    answer = conformance.provider.discovery()
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    metadata = answer.json()
    # Discovery 4.3: the issuer is that of the URL, character by character.
    assert metadata["issuer"] + "/.well-known/openid-configuration" == str(answer.request.url)
    assert "code" in metadata["response_types_supported"]
    assert set(metadata["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert "authorization_code" in metadata["grant_types_supported"]
    assert "openid" in metadata["scopes_supported"]
    assert {"sub", "name", "email", "address", "phone_number"} <= set(metadata["claims_supported"])
    assert metadata["claims_parameter_supported"] is True
    assert metadata["request_parameter_supported"] is False
    # Discovery section 3: true, unless it says otherwise.
    assert metadata["request_uri_parameter_supported"] is False
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert metadata[name].startswith("https://")
    assert all(
        value.startswith("https://")
        for name, value in metadata.items()
        if name.endswith(("_endpoint", "_uri"))
    )
    assert set(metadata) <= REGISTERED
    assert {"S256"} <= set(metadata["code_challenge_methods_supported"]) <= {"S256", "plain"}
    assert all(re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]+", scope) for scope in metadata["scopes_supported"])
    assert all(re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag) for tag in metadata["ui_locales_supported"])
    # Discovery 4.2: members with no elements are left out.
    assert [] not in metadata.values()
    is_a_sound_key_set(conformance.provider.http.get(metadata["jwks_uri"]).json())


def is_a_sound_key_set(members: KeySetSerialization) -> None:
    """Public keys that can be told apart, for signatures, and in a form that others read (RFC 7517, Core 10.1)."""
    keys = KeySet.import_key_set(members).keys
    assert len({key.kid for key in keys}) == len(keys)
    for key in members["keys"]:
        assert key["kid"]
        assert key["use"] == "sig"
        assert key["kty"] in {"RSA", "EC", "OKP"}
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert not any("=" in value for value in key.values())
    assert "RS256" in {key["alg"] for key in members["keys"]}
