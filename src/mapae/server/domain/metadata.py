"""What this issuer says of itself (RFC 8414, OpenID Connect Discovery 1.0). Pure."""

from typing import Any

from mapae.oauth.authorization_request import Prompt
from mapae.oauth.authorization_response import ResponseMode
from mapae.oauth.client_members import ASSERTION_ALGORITHMS, AUTH_METHODS, ID_TOKEN_ALGORITHMS
from mapae.oauth.pkce import S256
from mapae.oauth.scope import OPENID_SCOPES
from mapae.oauth.token_request import GRANT_TYPES
from mapae.server.domain.claims import ACR, USER_CLAIMS

#: Claims of an ID token that say nothing about the user but who, when and how.
_SIGN_IN_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid")


def metadata(issuer: str) -> dict[str, Any]:
    """The members of both documents. The scopes of APIs are left out, as RFC 8414 section 2 allows."""
    proving = [method for method in AUTH_METHODS if method != "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": list(OPENID_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": proving,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "code_challenge_methods_supported": [S256],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(ID_TOKEN_ALGORITHMS),
        "acr_values_supported": [ACR],
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["en", "ko"],
        "claim_types_supported": ["normal"],
        "claims_supported": [*_SIGN_IN_CLAIMS, *USER_CLAIMS],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        # What is left out here counts as supported (OpenID Connect Discovery section 3).
        "request_uri_parameter_supported": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }
