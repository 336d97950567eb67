"""Requests to an OAuth server: to its token, device and revocation endpoints, and the address a browser opens."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote_plus, urlencode, urlsplit

from mapae.client.errors import StepUpRequired
from mapae.client.oauth_answers import Metadata
from mapae.client.records import OAuthClient, OAuthGrant, Tokens
from mapae.client.transport import Call
from mapae.jose import base64url
from mapae.secret import Secret

FORM = "application/x-www-form-urlencoded"


def token_call(grant: OAuthGrant, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Call:
    """A request to the token endpoint (RFC 6749 section 3.2), with the client's authentication."""
    return _call(grant.token_endpoint, grant, parameters, headers)


def renewal_call(grant: OAuthGrant, tokens: Tokens, headers: Mapping[str, str]) -> Call:
    """A refresh (RFC 6749 section 6), or the client credentials once more (section 4.4)."""
    if tokens.refresh_token is None or grant.grant_type == "client_credentials":
        return credentials_call(grant, headers)
    parameters = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token.reveal()}
    return token_call(grant, parameters | _resource(grant.client), headers)


def credentials_call(grant: OAuthGrant, headers: Mapping[str, str]) -> Call:
    """A request for a token of the client itself (RFC 6749 section 4.4)."""
    return token_call(grant, {"grant_type": "client_credentials"} | _wanted(grant.client), headers)


def revocation_call(endpoint: str, grant: OAuthGrant, token: Secret, headers: Mapping[str, str]) -> Call:
    """A revocation (RFC 7009 section 2.1)."""
    return _call(endpoint, grant, {"token": token.reveal()}, headers)


def device_call(endpoint: str, grant: OAuthGrant, headers: Mapping[str, str]) -> Call:
    """A device authorization request (RFC 8628 section 3.1)."""
    return _call(endpoint, grant, _wanted(grant.client), headers)


def authorization_url(
    metadata: Metadata, client: OAuthClient, parameters: Mapping[str, str], step_up: StepUpRequired | None
) -> str:
    """The address that a browser opens (RFC 6749 section 4.1.1).

    Args:
        step_up: what an API wanted, which is asked for as RFC 9470 section 4 says.
    """
    more: dict[str, str] = {}
    if step_up is not None and step_up.acr_values:
        more["acr_values"] = step_up.acr_values
    if step_up is not None and step_up.max_age is not None:
        more["max_age"] = str(step_up.max_age)
    members = {
        "response_type": "code",
        "client_id": client.client_id,
        **_wanted(client),
        **parameters,
        **more,
    }
    endpoint = metadata.authorization_endpoint or ""
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(members)}"


def challenge_of(verifier: Secret) -> str:
    """The `code_challenge` of a verifier, by S256 (RFC 7636 section 4.2)."""
    return base64url.encode(sha256(verifier.reveal().encode()).digest())


def with_scope(client: OAuthClient, step_up: StepUpRequired | None) -> OAuthClient:
    """The client, also wanting the scope that an API missed."""
    wanted = dict.fromkeys(client.scope.split())
    wanted |= dict.fromkeys(step_up.scope.split() if step_up is not None else ())
    return replace(client, scope=" ".join(wanted))


def _wanted(client: OAuthClient) -> dict[str, str]:
    return ({"scope": client.scope} if client.scope else {}) | _resource(client)


def _resource(client: OAuthClient) -> dict[str, str]:
    return {} if client.resource is None else {"resource": client.resource}


def _call(url: str, grant: OAuthGrant, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Call:
    client, secret = grant.client, grant.client.client_secret
    members, more = dict(parameters), {"Content-Type": FORM, **headers}
    if grant.auth_method == "client_secret_basic" and secret is not None:
        # RFC 6749 section 2.3.1: both are encoded as in a form before they are joined.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret.reveal())}"
        more["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        members["client_id"] = client.client_id
        if secret is not None:
            members["client_secret"] = secret.reveal()
    return Call(url, urlencode(members).encode(), more)
