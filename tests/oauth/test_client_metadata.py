"""Client metadata: what is taken, what it means when nothing is said, and which mistakes are named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.jose.jwk import Jwk
from mapae.oauth.client_metadata import MEMBERS, ClientMetadata
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope

URI = "https://app.example.com/callback"
KEY = Jwk.generate("ES256")
JWKS = {"keys": [KEY.public().to_dict()]}
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt"}
SERVICE = {"grant_types": ["client_credentials"]}
EVERYTHING = {
    "client_name": "Example",
    "redirect_uris": [URI, "https://other.example.com/callback"],
    "post_logout_redirect_uris": ["https://app.example.com/"],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "scope": "openid orders:read",
    "application_type": "web",
    "subject_type": "pairwise",
    "sector_identifier_uri": "https://sector.example.com/uris.json",
    "id_token_signed_response_alg": "ES256",
    "jwks": JWKS,
    "default_max_age": 0,
    "require_auth_time": True,
    "client_uri": "https://app.example.com/about",
    "logo_uri": "https://app.example.com/logo.png",
    "policy_uri": "https://app.example.com/policy",
    "tos_uri": "https://app.example.com/terms",
    "contacts": ["ops@example.com"],
    "backchannel_logout_uri": "https://app.example.com/ended",
    "backchannel_logout_session_required": True,
    "frontchannel_logout_uri": "https://app.example.com/bye",
    "frontchannel_logout_session_required": True,
    "require_pkce": False,
    "skip_consent": True,
    "resource_server": "https://api.example.com",
}


def test_what_is_not_said_is_as_the_standard_has_it() -> None:
    client = ClientMetadata.parse({"redirect_uris": [URI]})
    assert (client.grant_types, client.response_types) == (("authorization_code",), ("code",))
    assert client.token_endpoint_auth_method == "client_secret_basic"
    assert (client.application_type, client.subject_type) == ("web", "public")
    assert (client.id_token_signed_response_alg, client.scope) == ("RS256", NO_SCOPE)
    assert client.require_pkce
    assert client.to_dict() == {"redirect_uris": [URI]}


def test_everything_can_be_said_and_comes_back_from_where_it_is_kept() -> None:
    client = ClientMetadata.parse(EVERYTHING)
    assert {*EVERYTHING, "jwks_uri"} == set(MEMBERS)
    assert client.scope == Scope.parse("openid orders:read")
    assert ClientMetadata.kept(client.to_dict()) == client
    assert {name: EVERYTHING[name] for name in client.to_dict()} == client.to_dict()


def test_null_and_members_of_other_names_count_as_absent() -> None:
    client = ClientMetadata.parse({"redirect_uris": [URI], "client_name": None, "software_id": 3})
    assert client == ClientMetadata.parse({"redirect_uris": [URI]})


def test_a_client_without_the_code_grant_has_no_response_type() -> None:
    client = ClientMetadata.parse(SERVICE)
    assert (client.redirect_uris, client.response_types) == ((), ())
    assert ClientMetadata.kept(client.to_dict()) == client


@pytest.mark.parametrize(
    ("uris", "kind"),
    [
        (["http://127.0.0.1/callback", "com.example.app:/callback"], "native"),
        (["http://localhost:3000/callback"], "native"),
        ([URI], "web"),
        ([], "web"),
    ],
)
def test_the_kind_that_is_not_said_follows_from_the_redirect_uris(uris: list[str], kind: str) -> None:
    grants = [] if not uris else ["authorization_code"]
    assert ClientMetadata.parse({"redirect_uris": uris, "grant_types": grants}).application_type == kind


@pytest.mark.parametrize(
    ("members", "sector"),
    [
        ({"redirect_uris": [URI, "https://app.example.com:8443/other"]}, "app.example.com"),
        (
            {"redirect_uris": [URI], "sector_identifier_uri": "https://sector.example.com/"},
            "sector.example.com",
        ),
        ({"redirect_uris": [URI, "https://other.example.com/"]}, None),
        ({"redirect_uris": ["com.example.app:/callback"]}, None),
        (SERVICE, None),
    ],
)
def test_the_sector_of_pairwise_subjects(members: dict[str, Any], sector: str | None) -> None:
    assert ClientMetadata.parse(members).sector == sector
    if sector is None:
        with pytest.raises(OAuthError, match="sector_identifier_uri is missing"):
            ClientMetadata.parse({**members, "subject_type": "pairwise"})


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "redirect_uris is missing"),
        ({"redirect_uris": ["http://app.example.com/"]}, "redirect_uris has to be https"),
        (
            {"redirect_uris": ["http://localhost/"], "application_type": "web"},
            "redirect_uris has to be https",
        ),
        ({"redirect_uris": [URI, "http://localhost/"]}, "redirect_uris has to be https"),
        ({"redirect_uris": [f"{URI}#"]}, "redirect_uris has a fragment"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris has to be https"),
        ({"redirect_uris": ["javascript:alert(1)"], "application_type": "native"}, "redirect_uris has a sch"),
    ],
)
def test_a_redirect_uri_that_cannot_be_one_has_a_code_of_its_own(members: dict[str, Any], told: str) -> None:
    with pytest.raises(OAuthError) as refused:
        ClientMetadata.parse(members)
    assert refused.value.description.startswith(told)
    assert refused.value.code is ErrorCode.INVALID_REDIRECT_URI


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"redirect_uris": URI}, "redirect_uris has to be a list of strings"),
        ({"redirect_uris": [1]}, "redirect_uris has to be a list of strings"),
        ({"redirect_uris": [URI, URI]}, "redirect_uris names something twice"),
        ({"redirect_uris": [f"{URI}{n}" for n in range(101)]}, "redirect_uris names something twice, more"),
        ({"client_name": ""}, "client_name has to be 1 to 200"),
        ({"client_name": " "}, "client_name has to be 1 to 200"),
        ({"client_name": "x" * 201}, "client_name has to be 1 to 200"),
        ({"client_name": "a\u202egnp.exe"}, "client_name has to be 1 to 200 printable"),
        ({"client_name": "a\nb"}, "client_name has to be 1 to 200 printable"),
        ({"client_name": 1}, "client_name has to be a string"),
        ({"post_logout_redirect_uris": ["http://app.example.com/"]}, "post_logout_redirect_uris has to be h"),
        ({"grant_types": ["password"]}, "grant_types holds something other than"),
        ({"grant_types": ["implicit"]}, "grant_types holds something other than"),
        ({"response_types": ["token"]}, "response_types holds something other than"),
        ({"response_types": []}, "response_types has code just when"),
        ({**SERVICE, "response_types": ["code"]}, "response_types has code just when"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method has to be one of"),
        ({"token_endpoint_auth_method": ["none"]}, "token_endpoint_auth_method has to be one of"),
        ({**SERVICE, "token_endpoint_auth_method": "none"}, "grant_types has client_credentials"),
        ({"token_endpoint_auth_signing_alg": "ES256"}, "token_endpoint_auth_signing_alg is only for"),
        ({**BY_KEY, "jwks": JWKS, "token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signin"),
        ({**BY_KEY, "jwks": JWKS, "token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signin"),
        ({"scope": "a  b"}, "scope has to be scopes"),
        ({"scope": ["openid"]}, "scope has to be"),
        ({"application_type": "desktop"}, "application_type has to be one of"),
        ({"subject_type": "ephemeral"}, "subject_type has to be one of"),
        ({"sector_identifier_uri": "http://sector.example.com/"}, "sector_identifier_uri has to be https"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg has to be one of"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg has to be one of"),
        (BY_KEY, "jwks or jwks_uri is missing"),
        ({**BY_KEY, "jwks": JWKS, "jwks_uri": "https://a.example/"}, "jwks and jwks_uri are both given"),
        ({**BY_KEY, "jwks": {"keys": [KEY.to_dict()]}}, "jwks holds a private or shared key"),
        ({**BY_KEY, "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwks holds a private or shared"),
        ({**BY_KEY, "jwks": {"keys": []}}, "jwks holds no key"),
        ({**BY_KEY, "jwks": {"keys": [{"kty": "EC", "crv": "P-256"}]}}, "jwks holds no key"),
        ({**BY_KEY, "jwks": {}}, "jwks is no JWK Set"),
        ({**BY_KEY, "jwks": "{}"}, "jwks has to be a JWK Set"),
        ({**BY_KEY, "jwks_uri": "http://app.example.com/jwks"}, "jwks_uri has to be https"),
        ({**BY_KEY, "jwks_uri": "file:///jwks"}, "jwks_uri has to be https"),
        ({"default_max_age": -1}, "default_max_age has to be a number of seconds"),
        ({"default_max_age": True}, "default_max_age has to be a number of seconds"),
        ({"default_max_age": "60"}, "default_max_age has to be a number of seconds"),
        ({"require_auth_time": "true"}, "require_auth_time has to be true or false"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri has to be https"),
        ({"tos_uri": "http://app.example.com/"}, "tos_uri has to be https"),
        ({"contacts": "ops@example.com"}, "contacts has to be a list"),
        ({"backchannel_logout_uri": "http://app.example.com/"}, "backchannel_logout_uri has to be https"),
        ({"backchannel_logout_uri": f"{URI}#x"}, "backchannel_logout_uri has a fragment"),
        ({"frontchannel_logout_uri": "https://evil.example/"}, "frontchannel_logout_uri has to be of the"),
        (
            {"frontchannel_logout_uri": "https://app.example.com:8443/"},
            "frontchannel_logout_uri has to be of",
        ),
        ({"require_pkce": False, "token_endpoint_auth_method": "none"}, "require_pkce may be false only"),
        ({"skip_consent": True, "application_type": "native"}, "skip_consent is not for native"),
        ({"resource_server": "https://a", "token_endpoint_auth_method": "none"}, "resource_server is only"),
    ],
)
def test_a_mistake_names_the_member_and_quotes_nothing(members: dict[str, Any], told: str) -> None:
    with pytest.raises(OAuthError) as refused:
        ClientMetadata.parse({"redirect_uris": [URI], **members})
    assert refused.value.code is ErrorCode.INVALID_CLIENT_METADATA
    assert refused.value.description.startswith(told)
    for value in (KEY.to_dict()["d"], "evil", "alert"):
        assert value not in str(refused.value) + refused.value.description


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
URIS = st.lists(
    st.sampled_from(
        [URI, "http://[", "https://[::1", "https://a:x/", "com.example.app:/", "http://localhost"]
    )
    | st.text(max_size=20),
    max_size=2,
)


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON | URIS, max_size=5))
def test_anything_at_all_is_parsed_or_refused(members: dict[str, Any]) -> None:
    try:
        client = ClientMetadata.parse({"grant_types": [], **members})
    except OAuthError as refused:
        assert refused.description.partition(" ")[0] in MEMBERS  # noqa: PT017
    else:
        assert ClientMetadata.kept(client.to_dict()) == client
