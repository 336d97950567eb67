"""Addresses that people come to: whatever goes wrong there is shown as a page."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps

from starlette.requests import Request
from starlette.responses import Response

from mapae.oauth.errors import OAuthError
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.errors import answer_to
from mapae.server.http.pages.rendering import Pages

Endpoint = Callable[[Request], Awaitable[Response]]


def for_people(pages: Pages, endpoint: Endpoint) -> Endpoint:
    """`endpoint`, with an error page for what it raises, also where the request does not say that it wants HTML."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OAuthError as error:
            problem = Problem(ProblemCode.INVALID_REQUEST, detail=error.detail, told=error.description)
            return answer_to(problem, partial(pages.problem, request))
        except Exception as error:  # noqa: BLE001  # those nobody foresaw are logged with all they say
            return answer_to(error, partial(pages.problem, request))

    return answer
