"""`oidcc-config-certification-test-plan`."""

from joserfc.jwk import KeySet, KeySetSerialization

from tests.conformance.conftest import Conformance


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
