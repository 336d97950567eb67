"""What the suite's conditions look at, each named after the sentence of a specification that it is about."""

import hashlib
import math
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jws, jwt
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64encode

#: Seconds by which the suite lets clocks differ.
SKEW_S = 300
CLAIMS_OF_SCOPE = {
    "openid": ["sub"],
    "profile": [
        "name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website", "gender",
        "birthdate", "zoneinfo", "locale", "updated_at", "preferred_username",
    ],
    "email": ["email", "email_verified"],
    "address": ["address"],
    "phone": ["phone_number", "phone_number_verified"],
}  # fmt: skip
#: What an ID token may say without having been asked.
ID_TOKEN_CLAIMS = {
    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "nbf", "jti",
    "sid",
}  # fmt: skip
_BOOLEANS = {"email_verified", "phone_number_verified"}
_ADDRESS = {"formatted", "street_address", "locality", "region", "postal_code", "country"}
#: RFC 6749 section 4.1.2.1 and 5.2.
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")


def verified_id_token(token: str, keys: KeySet) -> jwt.Token:
    """The ID token, signed with the key of the key set that its `kid` names (Core 3.1.3.7, 10.1)."""
    header = jws.extract_compact(token.encode()).headers()
    assert header["kid"] in {key.kid for key in keys.keys}
    return jwt.decode(token, keys, algorithms=["RS256"])


def is_id_token_of(claims: Mapping[str, Any], request: Mapping[str, str], *, issuer: str) -> None:
    """The checks that every ID token has to stand (Core 2, 3.1.3.7, 5.1, 5.5.1.1)."""
    now = time.time()
    assert claims["iss"] == issuer
    assert claims["aud"] == request["client_id"] or claims["aud"] == [request["client_id"]]
    assert claims.get("azp", request["client_id"]) == request["client_id"]
    assert claims["exp"] > now - SKEW_S
    assert claims["iat"] < now + SKEW_S
    assert claims.get("nonce") == request.get("nonce")
    assert isinstance(claims["sub"], str)
    assert re.fullmatch(r"[\x00-\x7F]{1,255}", claims["sub"])
    assert isinstance(claims.get("acr", ""), str)
    # Core 5.4: where there is an access token, what scopes ask for is told by the userinfo endpoint.
    assert set(claims) <= ID_TOKEN_CLAIMS


def is_hash_of(claims: Mapping[str, Any], access_token: str) -> None:
    """`at_hash` of an ID token signed with RS256 (Core 3.1.3.6)."""
    left = hashlib.sha256(access_token.encode()).digest()[:16]
    assert claims["at_hash"] == urlsafe_b64encode(left).decode()


def has_standard_types(claims: Mapping[str, Any]) -> None:
    """Standard claims have the types of Core 5.1; moments are seconds, and dates are dates."""
    for name in (name for names in CLAIMS_OF_SCOPE.values() for name in names if name in claims):
        match name:
            case "updated_at":
                assert isinstance(claims[name], int)
                assert 0 < claims[name] < time.time() + SKEW_S
            case "birthdate":
                assert re.fullmatch(r"\d{4}(-\d{2}-\d{2})?", claims[name])
            case "address":
                assert claims[name]
                assert {
                    name: type(value) for name, value in claims[name].items() if name in _ADDRESS
                } == dict.fromkeys(claims[name], str)
            case _:
                assert isinstance(claims[name], bool if name in _BOOLEANS else str), name


def are_claims_of_scope(claims: Mapping[str, Any], scope: str) -> None:
    """All standard claims that the scope asks for are there (Core 5.4)."""
    asked = {name for one in scope.split() for name in CLAIMS_OF_SCOPE.get(one, [])}
    assert asked <= set(claims)


def is_unguessable(value: str) -> None:
    """Random enough for a code or a token, as far as one value shows (RFC 6749 section 10.10)."""
    shares = [value.count(letter) / len(value) for letter in set(value)]
    assert -sum(share * math.log2(share) for share in shares) * len(value) > 96


def is_token_response(answer: httpx.Response) -> dict[str, Any]:
    """The members of a token response (RFC 6749 section 5.1, Core 3.1.3.3)."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["pragma"] == "no-cache"
    members: dict[str, Any] = answer.json()
    assert members["token_type"].lower() == "bearer"
    assert type(members["expires_in"]) is int
    assert members["expires_in"] > 0
    assert re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", members["access_token"])
    for token in (members["access_token"], *filter(None, [members.get("refresh_token")])):
        assert re.fullmatch(r"[\x20-\x7E]+", token)
        is_unguessable(token)
    return members


def is_token_error(answer: httpx.Response, code: str) -> None:
    """A refusal of the token endpoint (RFC 6749 section 5.2)."""
    assert answer.status_code == 400
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    members = answer.json()
    assert members["error"] == code
    assert _DESCRIPTION.fullmatch(members.get("error_description", "-"))


def is_authorization_error(response: Mapping[str, str], *codes: str) -> None:
    """A refusal of the authorization endpoint, with nothing in it that does not belong there (Core 3.1.2.6)."""
    assert response["error"] in codes
    assert set(response) <= {"error", "error_description", "error_uri", "state", "iss"}
    assert _DESCRIPTION.fullmatch(response.get("error_description", "-"))


#: Core 3.1.2.6: what a user would have to be shown something for.
NEEDS_A_PAGE = ("interaction_required", "login_required", "account_selection_required", "consent_required")
