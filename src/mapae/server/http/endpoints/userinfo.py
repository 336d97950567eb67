"""`/oauth/userinfo`: the claims about the user of an access token."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.oauth.errors import ErrorCode
from mapae.server.actions.userinfo import Userinfo
from mapae.server.adapters.metrics import Metrics
from mapae.server.http.answers import json_answer
from mapae.server.http.cors import Cors
from mapae.server.http.form import read_form
from mapae.server.http.oauth_answers import in_oauth
from mapae.verifier import RejectionCode, TokenRejected, presented_token


@dataclass(frozen=True, slots=True)
class UserinfoEndpoint:
    """OpenID Connect Core section 5.3."""

    userinfo: Userinfo
    cors: Cors
    metrics: Metrics

    def routes(self) -> list[Route]:
        """The one path."""
        endpoint = in_oauth(self.userinfo_of, self.metrics)
        return self.cors.routes("/oauth/userinfo", endpoint, methods=["GET", "POST"])

    async def userinfo_of(self, request: Request) -> Response:
        """What the token of this request is good for."""
        return json_answer(await self.userinfo(await _presented(request)))


async def _presented(request: Request) -> str | None:
    """The token in the header, or in the form of a POST (RFC 6750 sections 2.1 and 2.2)."""
    token = presented_token(request.headers.getlist("authorization"), query=request.url.query)
    if request.method != "POST" or "content-type" not in request.headers:
        return token
    in_form = (await read_form(request)).get("access_token")
    if token is not None and in_form is not None:
        # RFC 6750 section 2: clients MUST NOT use more than one method to transmit the token in each request.
        raise TokenRejected(RejectionCode.MALFORMED, "two tokens", error=ErrorCode.INVALID_REQUEST)
    return token if in_form is None else in_form
