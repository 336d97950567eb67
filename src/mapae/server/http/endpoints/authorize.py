"""`/oauth/authorize`: where clients send browsers to, and where every page of a sign-in comes back to."""

from dataclasses import dataclass
from typing import assert_never

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.oauth.parameters import Parameters
from mapae.server.actions.authorize import Authorize
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.authorize import AskConsent, Issue, LogIn, RefuseAtClient
from mapae.server.http.cookies import SESSION, Cookies
from mapae.server.http.form import read_form
from mapae.server.http.onward import (
    AUTHORIZE,
    CONSENT,
    LOGIN,
    bounded,
    page_for,
    return_to,
    see_other,
    to_client,
)
from mapae.server.http.pages.for_people import for_people
from mapae.server.http.pages.rendering import Pages

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AuthorizationEndpoint:
    """RFC 6749 section 3.1, OpenID Connect Core section 3.1.2. `base` is the path of the issuer."""

    authorize: Authorize
    cookies: Cookies
    pages: Pages
    metrics: Metrics
    base: str

    def routes(self) -> list[Route]:
        """The path of the endpoint."""
        return [
            Route(AUTHORIZE, for_people(self.pages, self.get_authorize), methods=["GET"]),
            Route(AUTHORIZE, for_people(self.pages, self.post_authorize), methods=["POST"]),
        ]

    async def get_authorize(self, request: Request) -> Response:
        """An authorization request, or the same one coming back from a page."""
        parameters = bounded(Parameters.of_query(request.url.query))
        decided = await self.authorize.decide(parameters, self.cookies.read(request, SESSION))
        match decided.step:
            case RefuseAtClient(error=error) as refused:
                log.info("refused", code=error.code.value, detail=error.detail)
                self.metrics.refused("get_authorize", error.code.value)
                return to_client(request, self.pages, self.authorize.refuse(refused))
            case LogIn():
                return see_other(self.base + page_for(LOGIN, decided.request))
            case AskConsent():
                return see_other(self.base + page_for(CONSENT, decided.request))
            case Issue() as issue:
                response = await self.authorize.issue(issue, now=decided.now)
                return to_client(request, self.pages, response)
            case _:
                assert_never(decided.step)

    async def post_authorize(self, request: Request) -> Response:
        """The same request as a form. Browsers send no cookies with one from another site, so it goes on as a GET."""
        form = await read_form(request)
        resources = [("resource", resource) for resource in form.resources]
        return see_other(self.base + return_to(bounded(Parameters.of([*form.items(), *resources]))))
