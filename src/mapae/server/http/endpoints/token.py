"""`/oauth/token`: a grant in, tokens out."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.server.actions.token import AnswerTokenRequest
from mapae.server.adapters.metrics import Metrics
from mapae.server.http.answers import NO_STORE_OAUTH, json_answer
from mapae.server.http.cors import Cors
from mapae.server.http.form import read_form
from mapae.server.http.oauth_answers import in_oauth
from mapae.server.http.request_facts import Network, caller_of


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """RFC 6749 section 3.2."""

    answer: AnswerTokenRequest
    cors: Cors
    metrics: Metrics
    trusted_proxies: Sequence[Network]

    def routes(self) -> list[Route]:
        """The one path."""
        return self.cors.routes("/oauth/token", in_oauth(self.post_token, self.metrics), methods=["POST"])

    async def post_token(self, request: Request) -> Response:
        """The tokens of a request."""
        caller = caller_of(request, self.trusted_proxies)
        form = await read_form(request)
        response = await self.answer(request.headers.getlist("authorization"), form, caller)
        return json_answer(response.to_dict(), headers=NO_STORE_OAUTH)
