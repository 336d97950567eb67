"""Orders: everyone sees and adds their own, live if they like; an admin who has just signed in clears them all."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Security, WebSocket
from fastapi.responses import StreamingResponse

from mapae import AccessToken, TokenRejected, Verifier
from mapae.integrations.fastapi import Bearer
from mapae.verifier import Needs

UNAUTHORIZED = 3000


class Orders:
    """All orders, in memory, and word of each new one."""

    def __init__(self) -> None:
        self.items: list[tuple[str, str]] = []
        self._changed = asyncio.Condition()

    def of(self, token: AccessToken) -> list[str]:
        """What the bearer has ordered."""
        return [item for owner, item in self.items if owner == token.subject]

    async def add(self, token: AccessToken, item: str) -> None:
        """Note down an order."""
        async with self._changed:
            self.items.append((token.subject, item))
            self._changed.notify_all()

    async def after(self, count: int, token: AccessToken) -> list[str]:
        """The orders of the bearer, once there are more than `count`."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.of(token)) > count)
        return self.of(token)


def orders_app(verifier: Verifier) -> FastAPI:
    """The application."""
    app, orders = FastAPI(), Orders()
    bearer = Bearer(verifier, realm="orders")
    careful = Bearer(verifier, realm="orders", needs=Needs(roles=["admin"], fresh_s=300))
    reader, writer = Security(bearer, scopes=["orders:read"]), Security(bearer, scopes=["orders:write"])
    admin = Security(careful, scopes=["orders:write"])

    @app.get("/orders")
    async def read(token: Annotated[AccessToken, reader]) -> dict[str, list[str]]:
        return {"orders": orders.of(token)}

    @app.post("/orders", status_code=201)
    async def order(item: str, token: Annotated[AccessToken, writer]) -> None:
        await orders.add(token, item)

    @app.delete("/orders", status_code=204)
    async def clear(token: Annotated[AccessToken, admin]) -> None:
        orders.items.clear()

    @app.websocket("/orders/live")
    async def live(websocket: WebSocket, token: Annotated[AccessToken, reader]) -> None:
        await websocket.accept()
        count = 0
        try:
            async with verifier.lasting(token):
                while True:
                    items = await orders.after(count, token)
                    await websocket.send_json(items[count:])
                    count = len(items)
        except TokenRejected as over:
            await websocket.close(UNAUTHORIZED, str(over.code))

    @app.get("/orders/events")
    async def events(token: Annotated[AccessToken, reader]) -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            count = 0
            try:
                while True:
                    # A generator is not left by the task that entered it: here the token is looked at in between.
                    wait_s = min(verifier.recheck(token), 5)
                    try:
                        items = await asyncio.wait_for(orders.after(count, token), wait_s)
                    except TimeoutError:
                        continue
                    for item in items[count:]:
                        yield f"data: {item}\n\n"
                    count = len(items)
            except TokenRejected as over:
                yield f"event: token_ended\ndata: {over.code}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    return app
