"""The authorization request: what happens next. One pure rule, `next_step`; pages do one thing and come back to it.

The first row that fits decides. *Since it began*: see domain/began; a request that carries no stamp begins now.

| row | the request | the user | next step |
|---|---|---|---|
| 1 | `client_id` missing, repeated, nobody's | | `RefuseHere` |
| 2 | `redirect_uri` missing, repeated, not registered for the client | | `RefuseHere` |
| 3 | anything else malformed or not supported | | `RefuseAtClient` with its code |
| 4 | the client may not use the code flow | | `RefuseAtClient` unauthorized_client |
| 5 | no code challenge, and the client has to send one | | `RefuseAtClient` invalid_request |
| 6 | nothing that was asked for may be granted | | `RefuseAtClient` invalid_scope, invalid_target |
| 7 | an `acr` is essential that nobody has here | | `RefuseAtClient` access_denied |
| 8 | `id_token_hint` of another client, altered, of another issuer | | `RefuseAtClient` invalid_request |
| 9 | `prompt=none` | has to sign in | `RefuseAtClient` login_required |
| 10 | names a user (in hint or `claims`) | is another, signed in since it began | `RefuseAtClient` login_required |
| 11 | any | has to sign in | `LogIn` |
| 12 | `prompt=none` | has to be asked | `RefuseAtClient` consent_required |
| 13 | any | has to be asked | `AskConsent` |
| 14 | any | | `Issue` |

A user *has to sign in* who is not signed in, is another than the request names, or did not sign in since it began
although it says `prompt=login` or `select_account`, or their last time is `max_age` seconds ago or longer.
A user *has to be asked* who was not asked since it began although it says `prompt=consent`, or the client is a native
one at an address that others on the machine can take (RFC 8252 section 8.6); and anyone who has not agreed to all of
this at this destination before, unless the operator vouches for the client (`skip_consent`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.jose.jwks import JwkSet
from mapae.oauth.authorization_request import AuthorizationRequest, Prompt, client_id_of, reply_to
from mapae.oauth.authorization_response import ReplyTo
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.id_token_hint import read_id_token_hint
from mapae.oauth.parameters import Parameters
from mapae.oauth.redirect_uri import matches
from mapae.oauth.scope import Scope
from mapae.server.domain.claims import ACR, scopes_of_claims
from mapae.server.domain.clients import Client
from mapae.server.domain.consents import Consent, destination_of
from mapae.server.domain.granting import grantable
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.users import User


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in in the browser; `subject` is what the client knows them as.

    `authenticated_at` in NumericDate seconds; `consents` are those for this client.
    """

    user: User
    session_id: str
    authenticated_at: int
    subject: str
    consents: tuple[Consent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the server knows as a request arrives. `now` and `began` in seconds of the database's clock."""

    issuer: str
    keys: JwkSet
    servers: Sequence[ResourceServer]
    client: Client | None
    signed_in: SignedIn | None
    began: int | None
    now: int


@dataclass(frozen=True, slots=True)
class RefuseHere:
    """Nobody can be told but the person: the redirect URI is not to be trusted (RFC 6749 section 4.1.2.1)."""

    code: ProblemCode
    detail: str


@dataclass(frozen=True, slots=True)
class RefuseAtClient:
    """The client is told."""

    reply_to: ReplyTo
    error: OAuthError


@dataclass(frozen=True, slots=True)
class LogIn:
    """The user has to sign in. `username` is whom the page proposes, None for nobody."""

    client: Client
    reply_to: ReplyTo
    username: str | None


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The user has to be asked whether the client may have `scope`."""

    client: Client
    reply_to: ReplyTo
    signed_in: SignedIn
    scope: Scope
    destination: str


@dataclass(frozen=True, slots=True)
class Issue:
    """The client gets a code for this."""

    client: Client
    reply_to: ReplyTo
    signed_in: SignedIn
    request: AuthorizationRequest
    scope: Scope
    audience: str


Step = RefuseHere | RefuseAtClient | LogIn | AskConsent | Issue


def beginning(signed_in: SignedIn | None, *, now: int) -> int:
    """When a request that arrives now began, as a moment that whatever has happened in the browser was before.

    Moments are whole seconds, so what has happened in this very second was before it too. What happens because of
    the request is not before it: `max(now, began)`.
    """
    if signed_in is None:
        return now
    return max(now, signed_in.authenticated_at + 1, *(one.granted_at + 1 for one in signed_in.consents))


def next_step(parameters: Parameters, known: Known) -> Step:
    """Decide what happens next with an authorization request, by the table above.

    Does not check: that the user is enabled, that the session is live; `known.signed_in` is there only then.
    """
    client = known.client
    try:
        client_id_of(parameters)
        redirect_uri = parameters.one("redirect_uri")
    except OAuthError as error:
        return RefuseHere(ProblemCode.INVALID_REQUEST, error.detail)
    if client is None:
        return RefuseHere(ProblemCode.UNKNOWN_CLIENT, "client_id is nobody's")
    if redirect_uri is None or not matches(client.metadata.redirect_uris, redirect_uri):
        return RefuseHere(ProblemCode.UNREGISTERED_REDIRECT_URI, f"client {client.client_id}")
    to = reply_to(parameters, redirect_uri)
    try:
        request = AuthorizationRequest.parse(parameters)
        return _acceptable(client, to, request, known)
    except OAuthError as error:
        return RefuseAtClient(to, error)


def _acceptable(client: Client, to: ReplyTo, request: AuthorizationRequest, known: Known) -> Step:
    metadata = client.metadata
    if "authorization_code" not in metadata.grant_types:
        raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, detail="no grant type authorization_code")
    if request.challenge is None and (metadata.require_pkce or not metadata.is_confidential):
        raise OAuthError(ErrorCode.INVALID_REQUEST, description="A code_challenge is needed (RFC 7636).")
    target = grantable(client, request.scope, request.resource, known.servers, issuer=known.issuer)
    if request.claims.acr and ACR not in request.claims.acr:
        # OpenID Connect Core section 5.5.1.1: treat that outcome as a failed authentication attempt.
        raise OAuthError(ErrorCode.ACCESS_DENIED, description="No authentication of that class is done here.")
    wanted = _wanted_subjects(client, request, known)
    if (user := known.signed_in) is None or _has_to_sign_in(user, client, request, wanted, known):
        if Prompt.NONE in request.prompt or (user and _is_another(user, wanted) and _is_new(user, known)):
            raise OAuthError(ErrorCode.LOGIN_REQUIRED)
        return LogIn(client, to, _proposed(request, user))
    scope, destination = Scope.of(target.scopes), destination_of(to.redirect_uri)
    to_agree = Scope.of((*scope, *scopes_of_claims(request.claims)))
    if _has_to_be_asked(user, client, to, request, to_agree, known):
        if Prompt.NONE in request.prompt:
            raise OAuthError(ErrorCode.CONSENT_REQUIRED)
        return AskConsent(client, to, user, to_agree, destination)
    return Issue(client, to, user, request, scope, target.audience)


def _wanted_subjects(client: Client, request: AuthorizationRequest, known: Known) -> set[str]:
    """Whom the answer may be about, by the hint and by `claims`; empty for anyone."""
    wanted = {request.claims.subject} if request.claims.subject else set()
    if request.id_token_hint is not None:
        hint = read_id_token_hint(request.id_token_hint, known.keys, issuer=known.issuer)
        if hint is not None:
            if hint.client_id != client.client_id:
                raise OAuthError(ErrorCode.INVALID_REQUEST, detail="an id_token_hint of another client")
            wanted.add(hint.subject)
    return wanted


def _has_to_sign_in(
    user: SignedIn, client: Client, request: AuthorizationRequest, wanted: set[str], known: Known
) -> bool:
    if _is_another(user, wanted):
        return True
    if _is_new(user, known):
        return False
    max_age_s = client.metadata.default_max_age if request.max_age_s is None else request.max_age_s
    # In whole seconds: what may be longer ago counts as longer, so that `max_age=0` is always new.
    too_old = max_age_s is not None and known.now - user.authenticated_at >= max_age_s
    return too_old or bool(request.prompt & {Prompt.LOGIN, Prompt.SELECT_ACCOUNT})


def _is_another(user: SignedIn, wanted: set[str]) -> bool:
    return bool(wanted - {user.subject})


def _is_new(user: SignedIn, known: Known) -> bool:
    return known.began is not None and user.authenticated_at >= known.began


def _proposed(request: AuthorizationRequest, user: SignedIn | None) -> str | None:
    if request.login_hint is not None:
        return request.login_hint
    return user.user.username if user and Prompt.SELECT_ACCOUNT not in request.prompt else None


def _has_to_be_asked(  # one rule
    user: SignedIn, client: Client, to: ReplyTo, request: AuthorizationRequest, scope: Scope, known: Known
) -> bool:
    destination = destination_of(to.redirect_uri)
    agreed = [one for one in user.consents if one.covers(scope, destination)]
    if known.began is not None and any(one.granted_at >= known.began for one in agreed):
        return False
    # RFC 8252 section 8.6: an https address is proof of who a native app is, any other can be taken.
    if Prompt.CONSENT in request.prompt or (
        client.metadata.is_native and not to.redirect_uri.startswith("https:")
    ):
        return True
    return not agreed and not client.metadata.skip_consent
