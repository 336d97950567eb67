"""The session as an `Auth` of httpx and httpx2: one object for sync and async clients of both."""

import sys
from collections.abc import AsyncGenerator, Callable, Generator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from mapae.client.errors import Misuse, Unavailable
from mapae.client.origin import origin_of
from mapae.client.steps import refuses_token

if TYPE_CHECKING:
    import httpx
    import httpx2

    from mapae.client.session import Session

    class _Auth(httpx.Auth, httpx2.Auth):  # type: ignore[misc]
        """What type checkers see; at run time `_kind` adds the libraries that are there."""
else:
    _Auth = object

LIBRARIES: Final = ("httpx", "httpx2")

#: What a step of the flow asks of its driver: to send a request, or to call something that may block.
Step = Any


class SessionAuth(_Auth):
    """Adds the token to requests for its origins, and renews it once when the API calls it invalid.

    Redirects stay inside one flow of the client: it drops the header when a redirect leaves the origin.
    """

    requires_request_body = False
    requires_response_body = False

    def __init__(self, session: "Session", origins: frozenset[str]) -> None:
        self._session = session
        self._origins = origins

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """The flow, as `httpx.Client` drives it."""
        steps = self._steps(request)
        step = next(steps)
        while True:
            outcome = step() if callable(step) else (yield step)
            try:
                step = steps.send(outcome)
            except StopIteration:
                return

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """The flow, as `httpx.AsyncClient` drives it; what may block runs in a thread."""
        from anyio import to_thread  # comes with httpx and httpx2, and suits asyncio and trio

        steps = self._steps(request)
        step = next(steps)
        while True:
            if callable(step):
                # When the caller is cancelled, the thread goes on and keeps what the server answers.
                outcome = await to_thread.run_sync(step, abandon_on_cancel=True)
            else:
                outcome = yield step
            try:
                step = steps.send(outcome)
            except StopIteration:
                return

    def _steps(self, request: Any) -> Generator[Step, Any, None]:
        if not self._covers(request):
            yield request
            return
        token = self._session.ready() or (yield lambda: self._session.token(min_life=0))
        response = yield _bearing(request, token)
        challenges = ", ".join(response.headers.get_list("www-authenticate"))
        if not (refuses_token(response.status_code, challenges) and self._covers(response.request)):
            return
        if not _replayable(request):
            return
        if (token := (yield self._renewal(token))) is not None:
            yield _bearing(request, token)

    def _covers(self, request: Any) -> bool:
        try:
            return origin_of(str(request.url)) in self._origins
        except Misuse:  # another scheme, or a user name in the URL: not ours to sign
            return False

    def _renewal(self, rejected: str) -> Callable[[], str | None]:
        def renew() -> str | None:
            try:
                return self._session.refresh(rejected)
            except Unavailable:
                return None  # the caller gets the API's own answer

        return renew


def session_auth(session: "Session", origins: frozenset[str]) -> SessionAuth:
    """A `SessionAuth` that the HTTP libraries of this process accept.

    Raises:
        ModuleNotFoundError: neither httpx nor httpx2 is installed.
    """
    loaded = tuple(name for name in LIBRARIES if name in sys.modules)
    installed = loaded or tuple(name for name in LIBRARIES if find_spec(name))[:1]
    if not installed:
        raise ModuleNotFoundError("session.auth() needs httpx or httpx2; install one of them", name="httpx")
    return _kind(installed)(session, origins)


@cache
def _kind(libraries: tuple[str, ...]) -> type[SessionAuth]:
    # Each library accepts only its own Auth, so the class is made a subclass of those that are in use.
    return type("SessionAuth", (SessionAuth, *(import_module(name).Auth for name in libraries)), {})


def _bearing(request: Any, token: str) -> Any:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _replayable(request: Any) -> bool:
    try:
        return isinstance(request.content, bytes)
    except RuntimeError:  # RequestNotRead: the body was streamed and is gone
        return False
