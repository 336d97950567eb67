"""The session as a client middleware of aiohttp."""

from typing import TYPE_CHECKING

from mapae.client.authorizer import Authorizer, bearer

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse


class AiohttpMiddleware:
    """Adds the token to requests for its origins, and renews it once when the API calls it invalid.

    aiohttp asks it for each request of a chain of redirects, so each is judged by its own origin.
    """

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def __call__(self, request: "ClientRequest", handler: "ClientHandlerType") -> "ClientResponse":
        """Sign a request, send it, and look at its answer."""
        if not self._authorizer.covers(str(request.url)):
            return await handler(request)
        session = self._authorizer.session
        token = session.ready() or await session.atoken(0)
        request.headers["Authorization"] = bearer(token)
        response = await handler(request)
        try:
            challenges = ", ".join(response.headers.getall("WWW-Authenticate", []))
            if not self._authorizer.wants_another(response.status, challenges) or _is_gone(request):
                return response
            another = await self._authorizer.aanother(token)
        except BaseException:
            response.close()
            raise
        if another is None:
            return response
        response.release()
        request.headers["Authorization"] = bearer(another)
        return await handler(request)


def _is_gone(request: "ClientRequest") -> bool:
    """Whether the body was a stream and cannot be sent again."""
    return not isinstance(request.body, bytes) and request.body.consumed
