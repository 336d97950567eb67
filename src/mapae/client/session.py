"""The public object: signs in, has a valid access token whenever asked, signs out."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from mapae.client.errors import LoginRequired, Misuse, Unavailable
from mapae.client.origin import issuer_url
from mapae.client.outside import THE_WORLD, Outside
from mapae.client.records import OAuthClient, OAuthGrant, SignIn, Tokens
from mapae.client.steps import Held, remaining_s
from mapae.client.store import LOCK_DEADLINE_S, Store, found_store, kept_store, living
from mapae.client.transport import Call
from mapae.secret import Secret

if TYPE_CHECKING:
    from grpc import CallCredentials

    from mapae.client.aiohttp_middleware import AiohttpMiddleware
    from mapae.client.answer import Answer
    from mapae.client.http_auth import SessionAuth
    from mapae.client.oauth_flows import SignedIn, SignInRequest
    from mapae.client.renewal import Renewal
    from mapae.client.requests_auth import RequestsAuth

Scope = Literal["this", "others", "all"]


class Session:
    """One person signed in to one server, in a store that processes may share. Threads may share the object.

    The session follows its store: when another process signs in there anew, this object goes on with that
    sign-in. Calls block: asyncio code uses `atoken`, `arefresh` or an adapter, and makes other calls in a thread.
    """

    def __init__(self, issuer: str, store: Store, outside: Outside = THE_WORLD) -> None:
        self.issuer: Final = issuer
        self._store: Final = store
        self._outside: Final = outside
        self._renewal: Renewal | None = None
        self._held: Held | None = None

    @classmethod
    def login(
        cls,
        issuer: str,
        username: str,
        password: str,
        *,
        device_name: str | None = None,
        store: Store | None = None,
        outside: Outside = THE_WORLD,
    ) -> "Session":
        """Sign in with a password and keep the tokens.

        Args:
            issuer: https URL of the server; http only for this machine.
            device_name: what the user will read in the list of signed-in devices.
            store: where the tokens rest; by default a file only this user can read, in `store.home()`.

        Raises:
            InvalidCredentials, TooManyAttempts, LoginRefused: the server said no.
            Unavailable: the server gave no answer that could be used.
            StoreFailed: the tokens could not be kept.
            Misuse: the issuer is no URL a password may be sent to.
        """
        issuer = issuer_url(issuer)
        session = cls(issuer, store or kept_store(issuer), outside)
        session._sign_in(username, password, device_name)
        return session

    @classmethod
    def load(cls, issuer: str, *, store: Store | None = None, outside: Outside = THE_WORLD) -> "Session":
        """The session that was kept when somebody signed in to `issuer` on this device. Asks no server.

        Args:
            store: where it was kept; by default the token of `MAPAE_TOKEN`, if there is one, goes before all stores.

        Raises:
            LoginRequired: nobody is signed in, or the session has ended; `reason` says why.
            StoreFailed: the store cannot be read.
            Misuse: the issuer is no URL a token may be sent to.
        """
        issuer = issuer_url(issuer)
        session = cls(issuer, store or found_store(issuer), outside)
        session._hold(session._kept()[1])
        return session

    @property
    def username(self) -> str:
        """The name this session was signed in with.

        Raises:
            LoginRequired, StoreFailed: as `token`.
        """
        return self._kept()[0].username

    def token(self, min_life: float = 60) -> str:
        """An access token that is valid for `min_life` seconds or more, renewed when the kept one is not.

        A fresh token may live shorter than asked; while the server is unreachable, one with less life left is
        better than none.

        Raises:
            LoginRequired: the session is over; its tokens have been deleted.
            Unavailable: the token is over and the server cannot be reached; try again after `retry_after`.
            StoreFailed: the renewed tokens could not be kept.
        """
        if (ready := self.ready(min_life)) is not None:
            return ready
        sign_in, tokens = self._kept()
        held = self._hold(tokens)
        if not held.good_enough(min_life, self._outside.clock(), self._outside.monotonic()):
            held = self._renewed(held, sign_in.renewable)
        return held.tokens.access_token.reveal()

    async def atoken(self, min_life: float = 60) -> str:
        """As `token`, for asyncio: the event loop goes on, and tasks that wait share one thread."""
        if (ready := self.ready(min_life)) is not None:
            return ready
        return await self._renewals().asked.arun((self, "token", min_life), lambda: self.token(min_life))

    def ready(self, min_life: float = 0) -> str | None:
        """The token in memory, if it is good enough; None when the store or the server must be asked."""
        held = self._held
        if held is None or not held.good_enough(min_life, self._outside.clock(), self._outside.monotonic()):
            return None
        return held.tokens.access_token.reveal()

    def refresh(self, rejected: str | None = None) -> str:
        """Another access token than `rejected` (by default: the kept one), which an API no longer takes.

        Raises:
            LoginRequired, Unavailable, StoreFailed: as `token`.
        """
        unwanted = self._kept()[1].access_token if rejected is None else Secret(rejected)
        return self._other_than(unwanted).tokens.access_token.reveal()

    async def arefresh(self, rejected: str | None = None) -> str:
        """As `refresh`, for asyncio: the event loop goes on, and tasks that wait share one thread."""
        return await self._renewals().asked.arun((self, "refresh", rejected), lambda: self.refresh(rejected))

    def request_sign_in(self, client: OAuthClient) -> "SignInRequest":
        """What the flows of `oauth_flows` need to know. The server learns which installation this is.

        Raises:
            StoreFailed: its name could not be kept.
        """
        from mapae.client.oauth_flows import SignInRequest

        headers = {"Mapae-Instance": self._store.instance(self._outside.draw()).reveal()}
        return SignInRequest(self.issuer, client, headers, self._outside.clock, self._outside.entropy)

    def begin(self, signed_in: "SignedIn") -> None:
        """Keep what such a flow ended with.

        Raises:
            StoreFailed: it could not be kept.
        """
        instance = self._store.instance(self._outside.draw())
        tokens = signed_in.tokens
        self._begin(SignIn(self.issuer, signed_in.username, instance, tokens, grant=signed_in.grant), tokens)

    def auth(self, *origins: str) -> "SessionAuth":
        """What httpx and httpx2 clients, sync and async, take: `httpx.Client(auth=session.auth(origin))`.

        It adds the token to requests for these origins and to no others, renews it once when the API says
        `invalid_token`, and raises `StepUpRequired` when the API wants more than this sign-in gave.

        Args:
            origins: such as "https://api.example.com"; paths are ignored.

        Raises:
            Misuse: no origin, or one that is not encrypted.
            ModuleNotFoundError: neither library is installed.
        """
        from mapae.client.authorizer import Authorizer
        from mapae.client.http_auth import session_auth

        return session_auth(Authorizer(self, origins))

    def requests_auth(self, *origins: str) -> "RequestsAuth":
        """What requests takes: `requests.get(url, auth=session.requests_auth(origin))`. Else as `auth`."""
        from mapae.client.authorizer import Authorizer
        from mapae.client.requests_auth import RequestsAuth

        return RequestsAuth(Authorizer(self, origins))

    def aiohttp_middleware(self, *origins: str) -> "AiohttpMiddleware":
        """What aiohttp takes: `ClientSession(middlewares=[session.aiohttp_middleware(origin)])`. Else as `auth`."""
        from mapae.client.aiohttp_middleware import AiohttpMiddleware
        from mapae.client.authorizer import Authorizer

        return AiohttpMiddleware(Authorizer(self, origins))

    def grpc_credentials(self, *origins: str) -> "CallCredentials":
        """What gRPC takes, synchronous and asyncio: `grpc.composite_channel_credentials(tls, credentials)`.

        It adds the token to calls to these origins, such as "https://api.example.com:50051", and to no others. gRPC
        shows credentials no answers, so a token that the API refuses is not renewed before its time.
        """
        from grpc import metadata_call_credentials

        from mapae.client.authorizer import Authorizer
        from mapae.client.grpc_credentials import GrpcToken

        return metadata_call_credentials(GrpcToken(Authorizer(self, origins)), name="mapae")

    def logout(self, scope: Scope = "this") -> None:
        """End this session, the user's others, or all of them.

        Local tokens are deleted unless only others end. With scope "this" they are deleted even if the server
        cannot be told; there the session ends by its idle time.

        Raises:
            Unavailable: the server could not be told.
            LoginRequired: there is no session any more.
            Misuse: "others" or "all" of a sign-in at an OAuth token endpoint, which cannot end them.
        """
        try:
            self._tell_of_logout(scope)
        except (Unavailable, LoginRequired):
            if scope == "this":
                self._forget()
            raise
        if scope != "others":
            self._forget()

    def _tell_of_logout(self, scope: Scope) -> None:
        sign_in, tokens = self._kept()
        # Without it our server would take a refresh token for a stolen one.
        headers = {"Mapae-Instance": sign_in.instance.reveal()}
        if sign_in.grant is not None:
            self._revoke(sign_in.grant, tokens, scope, headers)
            return
        body: dict[str, str] = {"scope": scope}
        if tokens.refresh_token is None:
            headers["Authorization"] = f"Bearer {tokens.access_token.reveal()}"
        else:
            body["refresh_token"] = tokens.refresh_token.reveal()
        answer = self._post("logout", body, headers)
        if answer.status != 204:
            raise _unavailable(answer)

    def _revoke(self, grant: OAuthGrant, tokens: Tokens, scope: Scope, headers: Mapping[str, str]) -> None:
        if scope != "this":
            raise Misuse("an OAuth client can end its own session only; the server's pages end the others")
        if grant.revocation_endpoint is None:
            return
        from mapae.client.oauth_requests import revocation_call

        token = tokens.refresh_token or tokens.access_token
        answer = self._outside.send(revocation_call(grant.revocation_endpoint, grant, token, headers))
        if answer.status != 200:
            raise _unavailable(answer)

    def _sign_in(self, username: str, password: str, device_name: str | None) -> None:
        instance = self._store.instance(self._outside.draw())
        body = {"username": username, "password": password}
        if device_name:
            body["device_name"] = device_name
        asked_at = self._outside.clock()
        answer = self._post("login", body, {"Mapae-Instance": instance.reveal()})
        from mapae.client.judgements import judge_login

        tokens = judge_login(answer, asked_at)
        self._begin(SignIn(self.issuer, username, instance, tokens), tokens)

    def _begin(self, sign_in: SignIn, tokens: Tokens) -> None:
        with self._store.lock(LOCK_DEADLINE_S):
            self._store.write(sign_in)
        self._hold(tokens)

    def _hold(self, tokens: Tokens) -> Held:
        """Have the tokens in memory. Those that are there already keep what the monotonic clock says of them."""
        held = self._held
        if held is None or held.tokens != tokens:
            left = remaining_s(tokens, self._outside.clock())
            held = self._held = Held(tokens, self._outside.monotonic() + left)
        return held

    def _renewed(self, held: Held, renewable: bool) -> Held:
        alive = held.remaining_s(self._outside.clock(), self._outside.monotonic()) > 0
        if alive and not renewable:
            return held
        try:
            return self._other_than(held.tokens.access_token)
        except Unavailable:
            if alive:
                return held
            raise

    def _renewals(self) -> "Renewal":
        if self._renewal is None:
            from mapae.client.renewal import shared_renewal  # a token that is still good needs none

            self._renewal = shared_renewal(self.issuer, self._store, self._outside)
        return self._renewal

    def _other_than(self, unwanted: Secret) -> Held:
        try:
            return self._hold(self._renewals().other_than(unwanted))
        except LoginRequired:
            self._held = None
            raise

    def _kept(self) -> tuple[SignIn, Tokens]:
        try:
            return living(self._store, self.issuer)
        except LoginRequired:
            self._held = None
            raise

    def _forget(self) -> None:
        with self._store.lock(LOCK_DEADLINE_S):
            self._store.delete()
        self._held = None

    def _post(self, verb: str, body: Mapping[str, str], headers: Mapping[str, str]) -> "Answer":
        return self._outside.send(Call(f"{self.issuer}/auth/{verb}", json.dumps(body).encode(), headers))


def _unavailable(answer: "Answer") -> Unavailable:
    from mapae.client.judgements import unavailable

    return unavailable(answer)
