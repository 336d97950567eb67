"""The front door: request id, security headers, one log line a request, and an answer to whatever went wrong."""

from functools import partial

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapae.clock import monotonic_clock
from mapae.entropy import Entropy
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.ids import new_id
from mapae.server.http.errors import Show, answer_to, document
from mapae.server.http.pages.rendering import Pages

log = structlog.get_logger()


class Front:
    """The outermost ASGI application.

    Args:
        app: what answers; what it raises is answered here.
        pages: show it to people.
        https: whether callers reach us by https; then HSTS is sent.
    """

    def __init__(
        self, app: ASGIApp, *, pages: Pages, https: bool, entropy: Entropy, metrics: Metrics
    ) -> None:
        self._app = app
        self._pages = pages
        self._entropy = entropy
        self._metrics = metrics
        # Bound once: the logger that a module gets binds itself anew for each line.
        self._log = log.bind()
        self._headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
            (b"x-frame-options", b"DENY"),
        ]
        if https:
            self._headers.append((b"strict-transport-security", b"max-age=63072000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began, status = new_id(self._entropy), monotonic_clock(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                own = [header for header in self._headers if header[0] not in given]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode("ascii")),
                    *own,
                ]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001  # those nobody foresaw are logged with all they say
            answer = answer_to(error, self._show(scope))
            if not status:
                await answer(scope, receive, send_with_headers)
        finally:
            seconds = monotonic_clock() - began
            self._metrics.answered(_endpoint(scope), status, seconds)
            self._log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round(seconds * 1000, 1),
            )
            structlog.contextvars.unbind_contextvars("request_id")

    def _show(self, scope: Scope) -> Show:
        """How to show a problem to whoever asks: browsers name HTML when a person is to see the answer."""
        request = Request(scope)
        return (
            partial(self._pages.problem, request)
            if "text/html" in request.headers.get("accept", "")
            else document
        )


def _endpoint(scope: Scope) -> str:
    """The name of what answered, which the router left behind."""
    return getattr(scope.get("endpoint"), "__name__", "none")
