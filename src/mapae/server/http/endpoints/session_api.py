"""`/auth/*`: user name and password in, tokens out; renewed, listed, ended."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.oauth.errors import OAuthError
from mapae.oauth.scope import Scope
from mapae.secret import Secret
from mapae.server.actions.authenticate_token import AuthenticateToken
from mapae.server.actions.change_password import ChangePassword
from mapae.server.actions.grants.refresh_token import RefreshGrant, RefreshRefused
from mapae.server.actions.issue import Issue
from mapae.server.actions.log_in import LogIn, LoginRequest
from mapae.server.actions.sessions import LogOutScope, RefreshTokenLogOut, UserSessions
from mapae.server.actions.tokens import Tokens
from mapae.server.domain.caller import DEVICE_NAME_LIMIT, Caller, printable
from mapae.server.domain.passwords import (
    CredentialFault,
    CredentialRefused,
    parse_username,
    prepare_new_password,
    prepare_password,
)
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.sessions import FIRST_PARTY_CLIENT_ID, rounded_to_the_hour
from mapae.server.http.answers import NO_STORE, json_answer
from mapae.server.http.body import Body, read_body
from mapae.server.http.request_facts import Network, caller_of
from mapae.server.store.sessions import ListedSession
from mapae.verifier import AccessToken


@dataclass(frozen=True, slots=True)
class SessionApi:
    """The first-party door."""

    log_in: LogIn
    refresh: RefreshGrant
    issue: Issue
    log_out: RefreshTokenLogOut
    user_sessions: UserSessions
    change_password: ChangePassword
    authenticate: AuthenticateToken
    trusted_proxies: tuple[Network, ...]

    def routes(self) -> list[Route]:
        """The paths of this door."""
        return [
            Route("/auth/login", self.post_login, methods=["POST"]),
            Route("/auth/refresh", self.post_refresh, methods=["POST"]),
            Route("/auth/logout", self.post_logout, methods=["POST"]),
            Route("/auth/password", self.post_password, methods=["POST"]),
            Route("/auth/me", self.get_me, methods=["GET"]),
            Route("/auth/sessions", self.get_sessions, methods=["GET"]),
            Route("/auth/sessions/{id}", self.delete_session, methods=["DELETE"]),
        ]

    async def post_login(self, request: Request) -> Response:
        """User name and password for tokens."""
        caller = self._caller(request)
        return _tokens(await self.log_in(_login_request(await read_body(request)), caller))

    async def post_refresh(self, request: Request) -> Response:
        """A refresh token for the next pair."""
        caller = self._caller(request)
        body = await read_body(request)
        token = Secret(body.text("refresh_token"))
        try:
            granted = await self.refresh(token, caller, client_id=FIRST_PARTY_CLIENT_ID)
        except RefreshRefused as refused:
            raise _not_refreshed(refused) from None
        return _tokens(await self.issue(granted))

    async def post_logout(self, request: Request) -> Response:
        """End this session, the others, or all: proved by the refresh token in the body, or by Bearer."""
        caller = self._caller(request)
        body = await read_body(request, optional=True)
        scope = _log_out_scope(body)
        refresh_token = body.optional_text("refresh_token")
        if refresh_token is not None:
            await self.log_out(Secret(refresh_token), scope, caller, client_id=FIRST_PARTY_CLIENT_ID)
        else:
            token = await self._authenticated(request)
            await self.user_sessions.log_out(
                scope, user_id=token.subject, current_id=_session_id(token), caller=caller
            )
        return Response(status_code=204, headers=NO_STORE)

    async def post_password(self, request: Request) -> Response:
        """Another password for the user, who has to know the current one; their other sessions end."""
        token = await self._authenticated(request)
        body = await read_body(request)
        try:
            current = prepare_password(Secret(body.text("current_password")))
            new = prepare_new_password(Secret(body.text("new_password")))
        except CredentialRefused as error:
            raise _refused(error, "The password") from None
        await self.change_password(
            user_id=token.subject,
            session_id=_session_id(token),
            current=current,
            new=new,
            caller=self._caller(request),
        )
        return Response(status_code=204, headers=NO_STORE)

    async def get_me(self, request: Request) -> Response:
        """Who the token says you are: read from the token alone."""
        token = await self.authenticate(request.headers.getlist("authorization"))
        members = ("sub", "client_id", "sid", "aud", "scope", "roles", "auth_time", "iat", "exp")
        claims = {name: token.claims[name] for name in members if name in token.claims}
        return json_answer(claims)

    async def get_sessions(self, request: Request) -> Response:
        """The caller's live sessions."""
        token = await self._authenticated(request)
        live = await self.user_sessions.list(token.subject, current_id=_session_id(token))
        return json_answer({"sessions": [_session(one, current_id=_session_id(token)) for one in live]})

    async def delete_session(self, request: Request) -> Response:
        """End one of the caller's sessions."""
        token = await self._authenticated(request)
        await self.user_sessions.revoke(
            request.path_params["id"],
            user_id=token.subject,
            current_id=_session_id(token),
            caller=self._caller(request),
        )
        return Response(status_code=204, headers=NO_STORE)

    async def _authenticated(self, request: Request) -> AccessToken:
        """The token of this request, which has to be one of our own client's."""
        token = await self.authenticate(request.headers.getlist("authorization"))
        if token.client_id != FIRST_PARTY_CLIENT_ID:
            # Least privilege: what a user lets another client do is for APIs, not for sessions and passwords.
            raise Problem(ProblemCode.FIRST_PARTY_ONLY, detail=f"a token of client {token.client_id}")
        return token

    def _caller(self, request: Request) -> Caller:
        return caller_of(request, self.trusted_proxies)


def _session_id(token: AccessToken) -> str:
    if token.session_id is None:
        raise Problem(ProblemCode.INVALID_TOKEN, detail="a token without a session")
    return token.session_id


def _login_request(body: Body) -> LoginRequest:
    client_id = body.optional_text("client_id") or FIRST_PARTY_CLIENT_ID
    if client_id != FIRST_PARTY_CLIENT_ID:
        raise Problem(ProblemCode.UNKNOWN_CLIENT)
    try:
        return LoginRequest(
            username=parse_username(body.text("username")),
            password=prepare_password(Secret(body.text("password"))),
            client_id=client_id,
            scopes=_scopes(body),
            device_name=printable(body.optional_text("device_name"), limit=DEVICE_NAME_LIMIT),
        )
    except CredentialRefused as error:
        if error.code is CredentialFault.FORBIDDEN_CHARACTER:
            # Nobody can have these, so it is only a wrong guess.
            raise Problem(ProblemCode.INVALID_CREDENTIALS, detail=error.code) from None
        raise _refused(error, "User name or password") from None


def _refused(error: CredentialRefused, what: str) -> Problem:
    return Problem(ProblemCode.INVALID_REQUEST, told=f"{what} is {error.code.replace('_', ' ')}.")


def _scopes(body: Body) -> tuple[str, ...] | None:
    text = body.optional_text("scope")
    if not text:
        return None
    try:
        return tuple(Scope.parse(text))
    except OAuthError:
        raise Problem(
            ProblemCode.INVALID_REQUEST, told="The member `scope` has to be scopes, a space between two."
        ) from None


def _log_out_scope(body: Body) -> LogOutScope:
    try:
        return LogOutScope(body.optional_text("scope") or LogOutScope.THIS)
    except ValueError:
        raise Problem(
            ProblemCode.INVALID_REQUEST, told="The member `scope` has to be this, others or all."
        ) from None


def _not_refreshed(refused: RefreshRefused) -> Problem:
    ending = refused.ending
    if ending is None:
        return Problem(ProblemCode.INVALID_REFRESH_TOKEN, detail=refused.detail)
    members = {"reason": ending.reason.value, "ended_at": ending.at}
    return Problem(ProblemCode.SESSION_ENDED, detail=refused.detail, members=members)


def _tokens(tokens: Tokens) -> Response:
    return json_answer(
        {
            "access_token": tokens.access_token.reveal(),
            "token_type": "Bearer",
            "expires_in": tokens.expires_in,
            "refresh_token": tokens.refresh_token.reveal(),
            "refresh_expires_in": tokens.refresh_expires_in,
            "session_id": tokens.session_id,
            "scope": tokens.scope,
        },
    )


def _session(live: ListedSession, *, current_id: str | None) -> dict[str, Any]:
    session = live.session
    return {
        "id": session.id,
        "device_name": session.device_name,
        "client_id": session.client_id,
        "created_at": session.created_at,
        "last_used_at": rounded_to_the_hour(live.used_at),
        "address": session.address,
        "user_agent": session.user_agent,
        "current": session.id == current_id,
    }
