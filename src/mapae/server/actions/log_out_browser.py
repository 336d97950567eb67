"""Sign out of a browser, at the wish of a client or of the user (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mapae.jose.jwks import JwkSet
from mapae.oauth.errors import OAuthError
from mapae.oauth.logout_request import LogoutRequest
from mapae.oauth.parameters import Parameters
from mapae.secret import Secret
from mapae.server.actions.client_directory import ClientDirectory
from mapae.server.actions.session_ends import record_ends
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.logout import Confirm, End, SignedOut, front_channel, next_step
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.sessions import EndReason
from mapae.server.store.browsers import Browser
from mapae.server.store.engine import Database


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The browser is signed out. `frames` are the addresses that end its sessions at clients (front-channel logout)."""

    signed_out: SignedOut
    frames: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """The user has to be asked; `client` is who wants it, None where nobody is named."""

    client: Client | None
    username: str


@dataclass(frozen=True, slots=True)
class LogOutBrowser:
    """`idle_s` as for sessions; `deliver` is called when clients may have to be told (actions/back_channel)."""

    database: Database
    clients: ClientDirectory
    keys: Callable[[], JwkSet]
    issuer: str
    idle_s: int
    deliver: Callable[[], None]

    async def __call__(
        self, parameters: Parameters, caller: Caller, *, cookie: Secret | None, confirmed: bool
    ) -> LoggedOut | ToConfirm:
        """End the session of the browser that has this cookie, unless the user has to be asked first.

        Raises:
            Problem: INVALID_REQUEST, UNKNOWN_CLIENT, UNREGISTERED_REDIRECT_URI.
            StoreUnavailable: the session has not ended.
        """
        try:
            request = LogoutRequest.parse(parameters, self.keys(), issuer=self.issuer)
        except OAuthError as error:
            raise Problem(ProblemCode.INVALID_REQUEST, detail=error.detail, told=error.description) from None
        client = await self.clients.find(request.client_id) if request.client_id is not None else None
        browser = await self._browser(cookie)
        session_id = browser.session_id if browser else None
        step = next_step(request, client, session_id=session_id, confirmed=confirmed)
        if isinstance(step, SignedOut):
            return LoggedOut(step)
        assert browser is not None
        if isinstance(step, Confirm):
            return ToConfirm(step.client, browser.user.username)
        return await self._end(browser, step, caller)

    async def _browser(self, cookie: Secret | None) -> Browser | None:
        if cookie is None:
            return None
        async with self.database.reading() as unit:
            return await unit.browsers.behind(cookie.digest(), client_id=None, idle_s=self.idle_s)

    async def _end(self, browser: Browser, end: End, caller: Caller) -> LoggedOut:
        user_id, reason = browser.user.id, EndReason.LOGGED_OUT
        async with self.database.unit() as unit:
            client_ids = await unit.sessions.clients_of(browser.session_id)
            ended = await unit.sessions.end(
                browser.session_id, user_id=user_id, reason=reason, now=browser.now
            )
            record_ends(unit, ended, user_id=user_id, reason=reason, caller=caller)
            await unit.commit()
        self.deliver()
        clients = [client for one in client_ids if (client := await self.clients.find(one))]
        return LoggedOut(
            end.then,
            [
                front_channel(uri, issuer=self.issuer, session_id=browser.session_id)
                for client in clients
                if (uri := client.metadata.frontchannel_logout_uri)
            ],
        )
