"""`/oauth/logout`: where clients send browsers to be signed out (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.oauth.parameters import Parameters
from mapae.server.actions.log_out_browser import LoggedOut, LogOutBrowser, ToConfirm
from mapae.server.http.cookies import SESSION, Cookies
from mapae.server.http.csrf import FIELD, Csrf
from mapae.server.http.form import read_form
from mapae.server.http.onward import bounded, see_other
from mapae.server.http.pages.for_people import for_people
from mapae.server.http.pages.rendering import Pages
from mapae.server.http.request_facts import Network, caller_of

LOGOUT: Final = "/oauth/logout"
#: What the page that asks the user hands on.
_HANDED_ON: Final = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")


@dataclass(frozen=True, slots=True)
class LogoutEndpoint:
    """The end session endpoint. `base` is the path of the issuer."""

    log_out: LogOutBrowser
    cookies: Cookies
    csrf: Csrf
    pages: Pages
    base: str
    trusted_proxies: Sequence[Network]

    def routes(self) -> list[Route]:
        """The path of the endpoint."""
        return [
            Route(LOGOUT, for_people(self.pages, self.get_logout), methods=["GET"]),
            Route(LOGOUT, for_people(self.pages, self.post_logout), methods=["POST"]),
        ]

    async def get_logout(self, request: Request) -> Response:
        """A request to be signed out."""
        return await self._log_out(request, bounded(Parameters.of_query(request.url.query)), confirmed=False)

    async def post_logout(self, request: Request) -> Response:
        """The form of our own page, which confirms; or the request of a client, which goes on as a GET."""
        form = await read_form(request)
        parameters = bounded(Parameters.of(form.items()).without(FIELD))
        if FIELD not in form:
            return see_other(f"{self.base}{LOGOUT}?{parameters.to_query()}")
        self.csrf.require(request, form)
        return await self._log_out(request, parameters, confirmed=True)

    async def _log_out(self, request: Request, parameters: Parameters, *, confirmed: bool) -> Response:
        outcome = await self.log_out(
            parameters,
            caller_of(request, self.trusted_proxies),
            cookie=self.cookies.read(request, SESSION),
            confirmed=confirmed,
        )
        if isinstance(outcome, ToConfirm):
            return self._ask(request, parameters, outcome)
        answer = self._signed_out(request, outcome)
        self.cookies.clear(answer, SESSION)
        return answer

    def _ask(self, request: Request, parameters: Parameters, asked: ToConfirm) -> Response:
        cookie = self.csrf.cookie(request)
        answer = self.pages.answer(
            request,
            "logout.html",
            form_action=parameters.one("post_logout_redirect_uri"),
            csrf=self.csrf.field(request, cookie),
            client_name=asked.client.name if asked.client else None,
            username=asked.username,
            fields={name: value for name, value in parameters.pairs if name in _HANDED_ON},
        )
        self.csrf.keep(answer, cookie)
        return answer

    def _signed_out(self, request: Request, outcome: LoggedOut) -> Response:
        client, continue_to = outcome.signed_out.client, outcome.signed_out.continue_to
        if continue_to is not None and not outcome.frames:
            return see_other(continue_to)
        return self.pages.answer(
            request,
            "signed_out.html",
            frames=outcome.frames,
            client_name=client.name if client else None,
            continue_to=continue_to,
        )
