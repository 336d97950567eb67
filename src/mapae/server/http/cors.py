"""Cross-origin requests: which pages may read what the OAuth endpoints answer (Fetch standard, section 3.3)."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.server.http.oauth_answers import Endpoint

_ALLOWED: Final = "Access-Control-Allow-Origin"
#: What pages send beside what every form may.
_HEADERS: Final = "Authorization, Content-Type, Mapae-Instance, Mapae-Attempt"
#: What pages may read of an answer.
_EXPOSED: Final = "WWW-Authenticate, Retry-After, X-Request-Id"
#: Seconds a browser need not ask again.
_MAX_AGE: Final = "600"


@dataclass(frozen=True, slots=True)
class Cors:
    """Pages of the origins that `origins` returns may; no credentials are ever allowed, so no cookie is sent.

    RFC 9700 section 2.6: never the authorization endpoint.
    """

    origins: Callable[[], Awaitable[Collection[str]]]

    def routes(self, path: str, endpoint: Endpoint, *, methods: Collection[str]) -> list[Route]:
        """The routes of an endpoint that pages may call: its own, and that of the question before it."""
        asked = ", ".join(methods)

        @wraps(endpoint)
        async def answered(request: Request) -> Response:
            # Asked first: what the endpoint did must not be lost because this cannot be answered.
            headers = await self._headers(request)
            response = await endpoint(request)
            response.headers.update(headers)
            return response

        async def preflight(request: Request) -> Response:
            headers = await self._headers(request)
            if _ALLOWED in headers:
                headers |= {
                    "Access-Control-Allow-Methods": asked,
                    "Access-Control-Allow-Headers": _HEADERS,
                    "Access-Control-Max-Age": _MAX_AGE,
                }
            return Response(status_code=204, headers={"Allow": f"{asked}, OPTIONS", **headers})

        return [Route(path, answered, methods=list(methods)), Route(path, preflight, methods=["OPTIONS"])]

    async def _headers(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None:
            return {}
        if origin not in await self.origins():
            return {"Vary": "Origin"}
        return {"Vary": "Origin", _ALLOWED: origin, "Access-Control-Expose-Headers": _EXPOSED}
