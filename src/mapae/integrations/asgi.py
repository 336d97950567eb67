"""Bearer tokens for any ASGI application."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from mapae.integrations.gate import Gated
from mapae.integrations.refusal import Refusal
from mapae.verifier import AccessToken, TokenRejected

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# RFC 6455 section 7.4.1: a message that violates the policy of the endpoint.
_POLICY_VIOLATION: Final = 1008
# "Unauthorized" in the registry of close codes that RFC 6455 section 11.7 has set up.
_UNAUTHORIZED: Final = 3000


class BearerMiddleware(Gated[Application]):
    """Lets through only requests and WebSockets with a valid access token.

    The application finds it as `scope["state"]["token"]`, in Starlette `request.state.token`. A TokenRejected
    that leaves the application, as from `token.require("orders:write")`, is answered too, unless the
    application has begun to answer itself. A WebSocket that it leaves, as from `verifier.lasting(token)`, is closed
    with 3000 (Unauthorized) and the code as the reason.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        sent = ""

        async def watched_send(message: Message) -> None:
            nonlocal sent
            sent = message["type"]
            await send(message)

        try:
            # The state is this request's own: the server copies it (ASGI, "Lifespan State").
            scope.setdefault("state", {})["token"] = await self._token(scope)
            await self._app(scope, receive, watched_send)
        except TokenRejected as rejected:
            if not sent:
                await _send(self._gate.refusal(rejected), scope, send)
            elif sent in ("websocket.accept", "websocket.send"):
                await send({"type": "websocket.close", "code": _UNAUTHORIZED, "reason": str(rejected.code)})
            else:
                raise

    async def _token(self, scope: Scope) -> AccessToken | None:
        authorization = [
            value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"authorization"
        ]
        return await self._gate.acheck(authorization, scope.get("query_string", b"").decode("latin-1"))


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
