"""`/oauth/introspect`: an API asks whether a token stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.server.actions.introspect import Introspect
from mapae.server.adapters.metrics import Metrics
from mapae.server.http.answers import json_answer
from mapae.server.http.form import read_form
from mapae.server.http.oauth_answers import in_oauth
from mapae.server.http.request_facts import Network, caller_of

#: An API hands on what its own callers sent, and wants an answer about it however long it is.
FORM_LIMIT: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class IntrospectionEndpoint:
    """RFC 7662."""

    introspect: Introspect
    metrics: Metrics
    trusted_proxies: Sequence[Network]

    def routes(self) -> list[Route]:
        """The one path."""
        return [Route("/oauth/introspect", in_oauth(self.post_introspect, self.metrics), methods=["POST"])]

    async def post_introspect(self, request: Request) -> Response:
        """What is to be said of a token."""
        caller = caller_of(request, self.trusted_proxies)
        form = await read_form(request, limit=FORM_LIMIT)
        members = await self.introspect(request.headers.getlist("authorization"), form, caller)
        return json_answer(members)
