"""The members of client metadata, one by one: each read into the type it has from then on."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseError, JoseErrorCode
from mapae.jose.jwks import JwkSet
from mapae.oauth import redirect_uri
from mapae.oauth.errors import OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope

#: How a client may authenticate at the token endpoint.
AUTH_METHODS: Final = ("none", "client_secret_basic", "client_secret_post", "private_key_jwt")
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
#: What an ID token can be signed with.
ID_TOKEN_ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")
#: What a client may sign an assertion with.
ASSERTION_ALGORITHMS: Final = tuple(name for name, row in ALGORITHMS.items() if row.kty != "oct")
MAX_TEXT: Final = 200
MAX_ITEM: Final = 2000
MAX_ITEMS: Final = 100


class Wrong(Exception):
    """What is wrong with a member, as the second half of a sentence that quotes nothing."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("has to be a string")
    # Among what is not printable are controls, and what reverses the direction of a line.
    if not value.isprintable() or not 0 < len(value.strip()) <= len(value) <= MAX_TEXT:
        raise Wrong(f"has to be 1 to {MAX_TEXT} printable characters")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise Wrong("has to be a list of strings")
    if len(set(value)) < len(value) or len(value) > MAX_ITEMS or max(map(len, value), default=0) > MAX_ITEM:
        raise Wrong(
            f"names something twice, more than {MAX_ITEMS} things, or one of over {MAX_ITEM} characters"
        )
    return tuple(value)


def _some_of(*known: str) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        named = _texts(value)
        if not set(named) <= set(known):
            raise Wrong(f"holds something other than {', '.join(known)}")
        return named

    return read


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in known:
            raise Wrong(f"has to be one of {', '.join(known)}")
        return str(value)

    return read


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("has to be true or false")
    return value


def _seconds(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:  # not bool, which in Python is an int
        raise Wrong("has to be a number of seconds")
    return value


def _scope(value: Any) -> Scope:
    if value == "":
        return NO_SCOPE
    try:
        if isinstance(value, str):
            return Scope.parse(value)
    except OAuthError:
        pass
    raise Wrong('has to be scopes with single spaces between them, as in "openid profile"')


def _uri_for(application_type: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong("has to be a string")
        try:
            return redirect_uri.registered(value, application_type)
        except OAuthError as error:
            raise Wrong(error.description) from None

    return read


def _jwks(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Wrong('has to be a JWK Set, as in { keys = [{ kty = "EC", … }] }')
    try:
        keys = JwkSet.parse(value)
    except JoseError as error:
        if error.code is JoseErrorCode.UNUSABLE_KEY:
            raise Wrong(
                "holds a private or shared key; give public keys, and make a new key: that one is known now"
            ) from None
        raise Wrong(f"is no JWK Set: {error.detail}") from None
    if not keys:
        raise Wrong("holds no key that can verify a signature")
    return value


_https: Final = _uri_for("web")

#: What reads each member, by its name.
READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "client_name": _text,
    "redirect_uris": _texts,
    "post_logout_redirect_uris": _texts,
    "grant_types": _some_of(*GRANT_TYPES),
    "response_types": _some_of("code"),
    "token_endpoint_auth_method": _one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": _one_of(*ASSERTION_ALGORITHMS),
    "scope": _scope,
    "application_type": _one_of("web", "native"),
    "subject_type": _one_of("public", "pairwise"),
    "sector_identifier_uri": _https,
    "id_token_signed_response_alg": _one_of(*ID_TOKEN_ALGORITHMS),
    "jwks": _jwks,
    "jwks_uri": _https,
    "default_max_age": _seconds,
    "require_auth_time": _switch,
    "client_uri": _https,
    "logo_uri": _https,
    "policy_uri": _https,
    "tos_uri": _https,
    "contacts": _texts,
    "backchannel_logout_uri": _https,
    "backchannel_logout_session_required": _switch,
    "frontchannel_logout_uri": _uri_for("native"),
    "frontchannel_logout_session_required": _switch,
    "require_pkce": _switch,
    "skip_consent": _switch,
    "resource_server": _text,
}
