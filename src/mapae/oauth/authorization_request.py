"""The authorization request (RFC 6749 section 4.1.1, RFC 7636 4.3, RFC 8707 2.1, OpenID Connect Core 3.1.2.1).

It is read in three steps, because where an error may be told depends on how far the request has been understood:
`client_id_of`, then `reply_to` once the redirect URI is trusted, then `AuthorizationRequest.parse` for all the rest.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from mapae.oauth.authorization_response import ReplyTo, ResponseMode
from mapae.oauth.claims_request import NO_CLAIMS, ClaimsRequest
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.parameters import Parameters
from mapae.oauth.pkce import Challenge
from mapae.oauth.request_object import answered_by
from mapae.oauth.scope import NO_SCOPE, Scope

_CLIENT_ID: Final = re.compile(r"[\x20-\x7E]{1,255}")  # RFC 6749 appendix A.1
_MODES: Final = {mode.value: mode for mode in ResponseMode}
_SECONDS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
#: What is kept with the code: text that a database takes and a token can carry.
_NONCE: Final = re.compile(r"[^\x00-\x1F\x7F]{1,512}")


class Prompt(StrEnum):
    """What the client wants the user to be shown (OpenID Connect Core section 3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What a client asks for. `max_age_s` in seconds; `id_token_hint` as it was sent, not verified.

    `display`, `ui_locales`, `claims_locales` and `acr_values` ask for what is voluntary; what pages need of them
    they read themselves. Parameters nobody knows are ignored (RFC 6749 section 3.1).
    """

    scope: Scope = NO_SCOPE
    resource: str | None = None
    challenge: Challenge | None = None
    nonce: str | None = None
    prompt: frozenset[Prompt] = frozenset()
    max_age_s: int | None = None
    id_token_hint: str | None = None
    login_hint: str | None = None
    claims: ClaimsRequest = NO_CLAIMS

    @classmethod
    def parse(cls, parameters: Parameters) -> Self:
        """The request of these parameters.

        Raises:
            OAuthError: REQUEST_NOT_SUPPORTED, REQUEST_URI_NOT_SUPPORTED, REGISTRATION_NOT_SUPPORTED,
                UNSUPPORTED_RESPONSE_TYPE, INVALID_SCOPE, INVALID_TARGET, INVALID_REQUEST.

        Does not check: the client, the redirect URI, whether the client may ask for this.
        """
        _require_supported(parameters)
        scope, claims = parameters.one("scope"), parameters.one("claims")
        return cls(
            scope=Scope.parse(scope) if scope else NO_SCOPE,
            resource=_resource(parameters),
            challenge=_challenge(parameters),
            nonce=_nonce(parameters.one("nonce")),
            prompt=_prompt(parameters.one("prompt")),
            max_age_s=_max_age(parameters.one("max_age")),
            id_token_hint=parameters.one("id_token_hint"),
            login_hint=parameters.one("login_hint"),
            claims=ClaimsRequest.parse(claims) if claims else NO_CLAIMS,
        )


def client_id_of(parameters: Parameters) -> str:
    """Who asks.

    Raises:
        OAuthError: INVALID_REQUEST when the parameter is missing, repeated, or can be nobody's.
    """
    client_id = parameters.one("client_id")
    if client_id is None or _CLIENT_ID.fullmatch(client_id) is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, detail="client_id is missing or malformed")
    return client_id


def reply_to(parameters: Parameters, redirect_uri: str) -> ReplyTo:
    """Where the answer goes; where the request does not say it well, as its response type has it by default.

    A request object is refused, but a client that sends one looks for the refusal where the object says.

    Args:
        redirect_uri: that of the request, found to be the client's.
    """
    if len(objects := parameters.all("request")) == 1:
        beside = {name for name, _ in parameters.pairs}
        within = [pair for pair in answered_by(objects[0]).items() if pair[0] not in beside]
        parameters = Parameters.of([*parameters.pairs, *within])
    asked, state = parameters.all("response_mode"), parameters.all("state")
    mode = _MODES.get(asked[0]) if len(asked) == 1 else None
    return ReplyTo(redirect_uri, mode or _default_mode(parameters), state[0] if len(state) == 1 else None)


def _default_mode(parameters: Parameters) -> ResponseMode:
    # Multiple Response Type Encoding Practices, section 5: fragment for every type that hands out a token.
    types = {one for value in parameters.all("response_type") for one in value.split(" ")}
    return ResponseMode.FRAGMENT if types & {"token", "id_token"} else ResponseMode.QUERY


def _require_supported(parameters: Parameters) -> None:
    for name, code in (
        ("request", ErrorCode.REQUEST_NOT_SUPPORTED),
        ("request_uri", ErrorCode.REQUEST_URI_NOT_SUPPORTED),
        ("registration", ErrorCode.REGISTRATION_NOT_SUPPORTED),
    ):
        if parameters.all(name):
            raise OAuthError(code)
    parameters.one("state")
    response_type, mode = parameters.one("response_type"), parameters.one("response_mode")
    if response_type is None:
        raise _invalid("response_type is missing")
    if mode is not None and mode not in _MODES:
        raise _invalid("unknown response_mode")
    if mode == ResponseMode.QUERY and _default_mode(parameters) is ResponseMode.FRAGMENT:
        raise _invalid("tokens do not travel in a query")
    if response_type != "code":
        raise OAuthError(ErrorCode.UNSUPPORTED_RESPONSE_TYPE)


def _resource(parameters: Parameters) -> str | None:
    resources = parameters.all("resource")
    if len(resources) > 1:
        raise OAuthError(ErrorCode.INVALID_TARGET, detail="a token has one audience")
    return resources[0] if resources else None


def _challenge(parameters: Parameters) -> Challenge | None:
    challenge, method = parameters.one("code_challenge"), parameters.one("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise _invalid("code_challenge_method without code_challenge")
        return None
    return Challenge.parse(challenge, method)


def _nonce(nonce: str | None) -> str | None:
    if nonce is not None and _NONCE.fullmatch(nonce) is None:
        raise _invalid("nonce is too long or has control characters")
    return nonce


def _prompt(text: str | None) -> frozenset[Prompt]:
    try:
        prompt = frozenset(Prompt(one) for one in (text or "").split(" ") if one)
    except ValueError:
        raise _invalid("unknown prompt") from None
    # If this parameter contains none with any other value, an error is returned (section 3.1.2.1).
    if Prompt.NONE in prompt and len(prompt) > 1:
        raise _invalid("prompt none with another")
    return prompt


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if _SECONDS.fullmatch(text) is None:
        raise _invalid("max_age is no number of seconds")
    return int(text)


def _invalid(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_REQUEST, detail=detail)
