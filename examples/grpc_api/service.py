"""The service, with the handlers that a compiler of .proto files would write; messages are JSON."""

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from mapae import Verifier
from mapae.integrations.grpc import AioBearer, current_token

Message = dict[str, Any]
Context = grpc.aio.ServicerContext


class Orders:
    """Everyone sees and adds their own, the role `admin` sees all."""

    def __init__(self) -> None:
        self._items: list[tuple[str, str]] = []

    async def List(self, request: Message, context: "Context[Message, Message]") -> AsyncIterator[Message]:  # noqa: N802
        """Stream the orders of the bearer."""
        token = current_token()
        token.require("orders:read")
        for owner, item in self._items:
            if owner == token.subject or "admin" in token.roles:
                yield {"item": item}

    async def Create(self, request: Message, context: "Context[Message, Message]") -> Message:  # noqa: N802
        """Note down an order."""
        token = current_token()
        token.require("orders:write")
        self._items.append((token.subject, str(request["item"])))
        return {"item": str(request["item"])}

    async def Health(self, request: Message, context: "Context[Message, Message]") -> Message:  # noqa: N802
        """For everyone."""
        return {"status": "SERVING"}


async def serve(verifier: Verifier, address: str) -> None:
    """Serve at `address`, for ever."""
    server = grpc.aio.server(
        handlers=[handlers(Orders())],
        interceptors=[AioBearer(verifier, anonymous=["/example.Orders/Health"], realm="orders")],
    )
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


def handlers(orders: Orders) -> grpc.GenericRpcHandler:
    """Where the methods are."""
    return grpc.method_handlers_generic_handler(
        "example.Orders",
        {
            "List": grpc.unary_stream_rpc_method_handler(orders.List, json.loads, _json),
            "Create": grpc.unary_unary_rpc_method_handler(orders.Create, json.loads, _json),
            "Health": grpc.unary_unary_rpc_method_handler(orders.Health, json.loads, _json),
        },
    )


def _json(message: Message) -> bytes:
    return json.dumps(message).encode()
