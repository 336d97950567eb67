"""The clients of PyPI: Authlib and requests_oauth2client."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from requests_oauth2client import ClientSecretBasic, InvalidGrant, OAuth2Client, PrivateKeyJwt

from tests.interop.conftest import API, CALLBACK, PASSWORD, SECRET, SIGNED_OUT, Provider


def test_authlib_signs_in_renews_and_logs_out(provider: Provider, visit: Callable[[str], str]) -> None:
    metadata = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=10).json()
    client = OAuth2Session(
        "web",
        SECRET,
        redirect_uri=CALLBACK,
        scope="openid email offline_access orders:read",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )
    verifier = "v" * 43
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="of this sign-in"
    )
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=visit(url), state=state, code_verifier=verifier
    )
    assert client.get(metadata["userinfo_endpoint"]).json()["email"] == "alice@example.com"
    renewed = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    assert renewed["refresh_token"] != token["refresh_token"]
    told = client.introspect_token(metadata["introspection_endpoint"], renewed["access_token"]).json()
    assert told["active"]
    assert told["aud"] == API
    gone = f"{metadata['end_session_endpoint']}?id_token_hint={token['id_token']}"
    assert visit(f"{gone}&post_logout_redirect_uri={SIGNED_OUT}") == SIGNED_OUT
    told = client.introspect_token(metadata["introspection_endpoint"], renewed["access_token"]).json()
    assert told == {"active": False}


def test_requests_oauth2client_checks_every_answer(provider: Provider, visit: Callable[[str], str]) -> None:
    client = OAuth2Client.from_discovery_endpoint(
        issuer=provider.issuer, auth=ClientSecretBasic("web", SECRET), redirect_uri=CALLBACK
    )
    asked = client.authorization_request(scope="openid profile offline_access", nonce="of this sign-in")
    answered = asked.validate_callback(visit(str(asked)))
    token = client.authorization_code(answered, validate=True)
    assert client.userinfo(token)["name"] == "Alice Example"
    renewed = client.refresh_token(token)
    assert client.introspect_token(renewed)["active"]
    client.revoke_refresh_token(renewed)
    with pytest.raises(InvalidGrant):
        client.refresh_token(renewed)
    assert urlsplit(str(asked)).netloc == urlsplit(provider.issuer).netloc


def test_requests_oauth2client_proves_itself_with_a_private_key(provider: Provider) -> None:
    client = OAuth2Client.from_discovery_endpoint(
        issuer=provider.issuer, auth=PrivateKeyJwt("service", provider.key.to_dict())
    )
    token = client.client_credentials(scope="orders:read", resource=API)
    assert client.introspect_token(token)["client_id"] == "service"
    assert PASSWORD not in str(token)
