"""Bearer tokens for any ASGI application."""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final

from mapae.integrations.refusal import Refusal, refusal
from mapae.verifier import AccessToken, TokenRejected, Verifier, Verifiers, presented_token

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# RFC 6455 section 7.4.1: a message that violates the policy of the endpoint.
_POLICY_VIOLATION: Final = 1008


class BearerMiddleware:
    """Lets through only requests and WebSockets with a valid access token.

    The application finds it as `scope["state"]["token"]`, in Starlette `request.state.token`. A TokenRejected
    that leaves the application, as from `token.require("orders:write")`, is answered too, unless the
    application has begun to answer itself.
    """

    def __init__(
        self,
        app: Application,
        verifier: Verifier | Verifiers,
        *,
        scopes: Collection[str] = (),
        realm: str = "api",
        resource_metadata: str | None = None,
    ) -> None:
        """
        Args:
            scopes: what every request needs
            realm: names what is protected, in the challenge
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728)
        """
        self._app: Final = app
        self._verifier: Final = verifier
        self._scopes: Final = tuple(scopes)
        self._realm: Final = realm
        self._resource_metadata: Final = resource_metadata

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answering = False

        async def watched_send(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            # The state is this request's own: the server copies it (ASGI, "Lifespan State").
            scope.setdefault("state", {})["token"] = await self._token(scope)
            await self._app(scope, receive, watched_send)
        except TokenRejected as rejected:
            if answering:
                raise
            answer = refusal(rejected, realm=self._realm, resource_metadata=self._resource_metadata)
            await _send(answer, scope, send)

    async def _token(self, scope: Scope) -> AccessToken:
        authorization = [
            value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"authorization"
        ]
        raw = presented_token(authorization, query=scope.get("query_string", b"").decode("latin-1"))
        token = await self._verifier.averify(raw)
        token.require(*self._scopes)
        return token


async def _send(answer: Refusal, scope: Scope, send: Send) -> None:
    prefix = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        prefix = "websocket.http"
    body = answer.body
    headers = {**answer.headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{prefix}.response.start", "status": answer.status, "headers": raw})
    await send({"type": f"{prefix}.response.body", "body": body})
