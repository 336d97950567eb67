"""`/oauth/revoke`: a client gives a token back."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.server.actions.revoke import Revoke
from mapae.server.adapters.metrics import Metrics
from mapae.server.http.answers import NO_STORE
from mapae.server.http.cors import Cors
from mapae.server.http.form import read_form
from mapae.server.http.oauth_answers import in_oauth
from mapae.server.http.request_facts import Network, caller_of


@dataclass(frozen=True, slots=True)
class RevocationEndpoint:
    """RFC 7009."""

    revoke: Revoke
    cors: Cors
    metrics: Metrics
    trusted_proxies: Sequence[Network]

    def routes(self) -> list[Route]:
        """The one path."""
        return self.cors.routes("/oauth/revoke", in_oauth(self.post_revoke, self.metrics), methods=["POST"])

    async def post_revoke(self, request: Request) -> Response:
        """The token is dead from now on, if it was the client's."""
        caller = caller_of(request, self.trusted_proxies)
        form = await read_form(request)
        await self.revoke(request.headers.getlist("authorization"), form, caller)
        return Response(status_code=200, headers=NO_STORE)
