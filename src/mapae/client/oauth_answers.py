"""What the answers of an OAuth server mean, without I/O: metadata, tokens, refusals, device codes, redirects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from mapae.client.answer import Answer, seconds, secret
from mapae.client.errors import LoginRefused, Misuse, UnexpectedAnswer
from mapae.client.judgements import Ended, unavailable
from mapae.client.origin import origin_of, protected_origin
from mapae.client.records import AuthMethod, Tokens
from mapae.jose import base64url, strict_json
from mapae.jose.errors import JoseError
from mapae.secret import Secret

#: Of a token whose answer does not say (RFC 6749 section 5.1 only recommends it). An API's 401 corrects it.
ASSUMED_LIFE_S: Final = 3600
#: RFC 8628 section 3.5, when the server names no interval, and what each `slow_down` adds.
POLL_INTERVAL_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client needs to know of a server (RFC 8414, OpenID Connect Discovery).

    Attributes:
        issuer: as the server writes it.
        sends_issuer: whether every redirect back names the issuer (RFC 9207).
    """

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None
    device_authorization_endpoint: str | None
    revocation_endpoint: str | None
    auth_methods: tuple[str, ...]
    sends_issuer: bool

    def auth_method(self, client_secret: Secret | None) -> AuthMethod:
        """How a client with this secret, or with none, authenticates."""
        if client_secret is None:
            return "none"
        basic = "client_secret_basic" in self.auth_methods or "client_secret_post" not in self.auth_methods
        return "client_secret_basic" if basic else "client_secret_post"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of RFC 6749 section 5.2, or of RFC 8628 section 3.5.

    Attributes:
        reason: why a session ended, where the server tells it.
    """

    code: str
    description: str = ""
    reason: str | None = None

    def refused(self) -> LoginRefused:
        """It as the error of a sign-in."""
        return LoginRefused(
            self.code, f"the server refused to sign in: {self.description or self.code.replace('_', ' ')}"
        )


@dataclass(frozen=True, slots=True)
class DevicePrompt:
    """What a person has to do on another device (RFC 8628 section 3.3).

    Attributes:
        verification_uri_complete: the address with the code in it, None when the server gave none.
        expires_in: seconds they have.
    """

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: float


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device authorization under way. `interval` is in seconds."""

    prompt: DevicePrompt
    device_code: Secret
    interval: float


def judge_metadata(answer: Answer, issuer: str) -> Metadata:
    """The metadata of a server.

    Args:
        issuer: the identifier it was asked for by, without a closing slash.

    Raises:
        UnexpectedAnswer: it is no metadata, or not that of this issuer (RFC 8414 section 3.3), or names an endpoint
            that no credentials may be sent to.
    """
    members = answer.members
    named = members.get("issuer")
    if not isinstance(named, str) or named.removesuffix("/") != issuer:
        raise UnexpectedAnswer(
            f"what answers at {issuer} is not the OAuth server of this name; check the address"
        )
    try:
        return Metadata(
            issuer=named,
            token_endpoint=_endpoint(members["token_endpoint"]),
            authorization_endpoint=_optional_endpoint(members, "authorization_endpoint"),
            device_authorization_endpoint=_optional_endpoint(members, "device_authorization_endpoint"),
            revocation_endpoint=_optional_endpoint(members, "revocation_endpoint"),
            auth_methods=_words(members.get("token_endpoint_auth_methods_supported", ())),
            sends_issuer=members.get("authorization_response_iss_parameter_supported") is True,
        )
    except (KeyError, ValueError) as problem:
        raise UnexpectedAnswer(f"the metadata of {issuer} cannot be used: {problem}") from None


def judge_token(
    answer: Answer, asked_at: float, *, scope: str, sent: Secret | None = None
) -> Tokens | Refusal:
    """What a token endpoint said.

    Args:
        asked_at: when it was asked, by our clock; taken before.
        scope: what was asked for, which the answer need not repeat.
        sent: the refresh token, which stays valid when the answer brings no other (RFC 6749 section 6).

    Raises:
        Unavailable, UnexpectedAnswer: everything that settles nothing.
    """
    if answer.status == 200:
        return _tokens(answer, asked_at, scope, sent)
    return _refusal(answer)


def judge_renewal(answer: Answer, asked_at: float, *, scope: str, sent: Secret | None) -> Tokens | Ended:
    """What the answer to a refresh means. Only `invalid_grant` ends anything.

    Raises:
        Unavailable, UnexpectedAnswer: everything else; the refresh token may well be alive.
    """
    outcome = judge_token(answer, asked_at, scope=scope, sent=sent)
    if isinstance(outcome, Tokens):
        return outcome
    if outcome.code == "invalid_grant":
        return Ended(outcome.reason or "invalid_grant")
    raise UnexpectedAnswer(f"the server does not renew the token: {outcome.description or outcome.code}")


def judge_device(answer: Answer) -> DeviceCode:
    """The codes of a device authorization (RFC 8628 section 3.2).

    Raises:
        LoginRefused: the server said no.
        Unavailable, UnexpectedAnswer: it said nothing of the kind.
    """
    if answer.status != 200:
        raise _refusal(answer).refused()
    members = answer.members
    complete = members.get("verification_uri_complete")
    try:
        return DeviceCode(
            prompt=DevicePrompt(
                user_code=_shown(members["user_code"]),
                verification_uri=_page(members["verification_uri"]),
                verification_uri_complete=None if complete is None else _page(complete),
                expires_in=seconds(members["expires_in"]),
            ),
            device_code=secret(members["device_code"]),
            interval=seconds(members["interval"]) if "interval" in members else POLL_INTERVAL_S,
        )
    except (KeyError, ValueError):
        raise UnexpectedAnswer("the answer holds no device code; check the address of the server") from None


def judge_redirect(parameters: Mapping[str, str], metadata: Metadata) -> Secret:
    """The code in a redirect back, whose `state` is known to be ours.

    Raises:
        LoginRefused: the person or the server said no, or another server answered (RFC 9207 section 2.4).
    """
    # RFC 9207 section 2.4: clients MUST compare it with the issuer identifier, and reject what does not match.
    issuer = parameters.get("iss")
    if issuer != metadata.issuer and (issuer is not None or metadata.sends_issuer):
        raise LoginRefused(
            "wrong_issuer", "the answer in the browser came from another server; sign in again"
        )
    if error := parameters.get("error"):
        raise Refusal(error, parameters.get("error_description", "")).refused()
    try:
        return secret(parameters.get("code"))
    except ValueError:
        raise LoginRefused(
            "invalid_response", "the answer in the browser holds no code; sign in again"
        ) from None


def name_in_id_token(answer: Answer, *, issuer: str, client_id: str, nonce: str | None) -> str:
    """The name of the person in the ID token of an answer, else their identifier; empty without an ID token.

    It came from the token endpoint itself, so TLS stands for its signature (OpenID Connect Core section 3.1.3.7,
    number 6).

    Raises:
        LoginRefused: it is of another issuer, for another client, or answers another request.

    Does not check: the signature, and times, which an answer of this moment does not need.
    """
    id_token = answer.members.get("id_token")
    if not isinstance(id_token, str):
        return ""
    try:
        claims = strict_json.parse_object(base64url.decode(id_token.split(".")[1]))
    except (JoseError, IndexError):
        claims = {}
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer or client_id not in audiences or claims.get("nonce") != nonce:
        raise LoginRefused(
            "invalid_id_token", "the server signed in somebody for another request; sign in again"
        )
    names = (claims.get("preferred_username"), claims.get("sub"))
    return next((name for name in names if isinstance(name, str) and name.isprintable()), "")


def _tokens(answer: Answer, asked_at: float, scope: str, sent: Secret | None) -> Tokens:
    members = answer.members
    if str(members.get("token_type")).lower() != "bearer":
        raise UnexpectedAnswer(
            "the answer holds no Bearer token; check the address, and how the client is registered"
        )
    try:
        server_now = asked_at if answer.date is None else answer.date
        life = seconds(members.get("expires_in", ASSUMED_LIFE_S))
        refresh_token = members.get("refresh_token")
        refresh_life = members.get("refresh_expires_in")
        return Tokens(
            access_token=secret(members["access_token"]),
            expires_at=server_now + life,
            life_s=life,
            skew_s=server_now - asked_at,
            refresh_token=sent if refresh_token is None else secret(refresh_token),
            # No part of the standard; 0 is how some servers say that there is no end.
            refresh_expires_at=server_now + seconds(refresh_life) if refresh_life else None,
            session_id=str(members.get("session_id", "")),
            scope=str(members.get("scope", scope)),
        )
    except (KeyError, ValueError) as problem:
        raise UnexpectedAnswer(f"the answer holds no tokens ({problem}); check the address") from None


def _refusal(answer: Answer) -> Refusal:
    members = answer.members
    code, description, reason = (members.get(name) for name in ("error", "error_description", "reason"))
    if answer.status not in {400, 401, 403} or not isinstance(code, str):
        raise unavailable(answer)
    return Refusal(
        code,
        description if isinstance(description, str) else "",
        reason if isinstance(reason, str) else None,
    )


def _endpoint(value: object) -> str:
    try:
        protected_origin(str(value))
    except Misuse as problem:
        raise ValueError(str(problem)) from None
    return str(value)


def _optional_endpoint(members: Mapping[str, Any], name: str) -> str | None:
    return _endpoint(members[name]) if members.get(name) is not None else None


def _page(value: object) -> str:
    """An address a person is sent to, who may be anywhere: encrypted or not, but no `javascript:`."""
    try:
        origin_of(str(value))
    except Misuse as problem:
        raise ValueError(str(problem)) from None
    return _shown(value)


def _shown(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise ValueError("not printable")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError("not a list")  # noqa: TRY004 - a ValueError is what callers take for bad metadata
    return tuple(word for word in value if isinstance(word, str))


def well_known(issuer: str) -> tuple[str, str]:
    """Where the metadata of an issuer is: OpenID Connect Discovery section 4, then RFC 8414 section 3.1."""
    parts = urlsplit(issuer)
    inserted = parts._replace(path=f"/.well-known/oauth-authorization-server{parts.path}").geturl()
    return f"{issuer}/.well-known/openid-configuration", inserted
