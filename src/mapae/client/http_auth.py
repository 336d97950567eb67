"""The session as an `Auth` of httpx and httpx2: one object for sync and async clients of both."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mapae.client.authorizer import Authorizer, bearer
from mapae.client.challenges import REFUSALS

if TYPE_CHECKING:
    import httpx
    import httpx2

    class _Auth(httpx.Auth, httpx2.Auth):  # type: ignore[misc]
        """What type checkers see; at run time `_kind` adds the libraries that are there."""
else:
    _Auth = object

LIBRARIES: Final = ("httpx", "httpx2")


class Ask(NamedTuple):
    """Something for the session, in both its forms. The other step of the flow is a request to send."""

    blocking: Callable[[], Any]
    awaitable: Callable[[], Coroutine[Any, Any, Any]]


class SessionAuth(_Auth):
    """Adds the token to requests for its origins, and renews it once when the API calls it invalid.

    Redirects stay inside one flow of the client: it drops the header when a redirect leaves the origin.
    """

    requires_request_body = False
    requires_response_body = False

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """The flow, as `httpx.Client` drives it."""
        steps = self._steps(request)
        step = next(steps)
        while True:
            outcome = step.blocking() if isinstance(step, Ask) else (yield step)
            try:
                step = steps.send(outcome)
            except StopIteration:
                return

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """The flow, as `httpx.AsyncClient` drives it on asyncio and trio; what may block runs in a thread."""
        steps = self._steps(request)
        step = next(steps)
        while True:
            outcome = await _asked(step) if isinstance(step, Ask) else (yield step)
            try:
                step = steps.send(outcome)
            except StopIteration:
                return

    def _steps(self, request: Any) -> Generator[Any, Any, None]:
        authorizer, session = self._authorizer, self._authorizer.session
        if not authorizer.covers(str(request.url)):
            yield request
            return
        token = session.ready() or (yield Ask(partial(session.token, 0), partial(session.atoken, 0)))
        response = yield _bearing(request, token)
        if response.status_code not in REFUSALS:
            return
        if response.request.headers.get("authorization") != bearer(token):
            return  # a redirect left the origin: what its end says is not about our token
        challenges = ", ".join(response.headers.get_list("www-authenticate"))
        if not (authorizer.wants_another(response.status_code, challenges) and _replayable(request)):
            return
        ask = Ask(partial(authorizer.another, token), partial(authorizer.aanother, token))
        if (another := (yield ask)) is not None:
            yield _bearing(request, another)


def session_auth(authorizer: Authorizer) -> SessionAuth:
    """A `SessionAuth` that the HTTP libraries of this process accept.

    Raises:
        ModuleNotFoundError: neither httpx nor httpx2 is installed.
    """
    loaded = tuple(name for name in LIBRARIES if name in sys.modules)
    installed = loaded or tuple(name for name in LIBRARIES if find_spec(name))[:1]
    if not installed:
        raise ModuleNotFoundError("session.auth() needs httpx or httpx2; install one of them", name="httpx")
    return _kind(installed)(authorizer)


@cache
def _kind(libraries: tuple[str, ...]) -> type[SessionAuth]:
    # Each library accepts only its own Auth, so the class is made a subclass of those that are in use.
    return type("SessionAuth", (SessionAuth, *(import_module(name).Auth for name in libraries)), {})


async def _asked(ask: Ask) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # trio
        from anyio import to_thread  # comes with httpx and httpx2

        # When the caller is cancelled, the thread goes on and keeps what the server answers.
        return await to_thread.run_sync(ask.blocking, abandon_on_cancel=True)
    return await ask.awaitable()


def _bearing(request: Any, token: str) -> Any:
    request.headers["Authorization"] = bearer(token)
    return request


def _replayable(request: Any) -> bool:
    try:
        return isinstance(request.content, bytes)
    except RuntimeError:  # RequestNotRead: the body was streamed and is gone
        return False
