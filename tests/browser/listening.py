"""An application on a port of this machine, in the loop of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from mapae.server.http.protocol import BoundedProtocol


@asynccontextmanager
async def listening(app: ASGIApp, port: int) -> AsyncIterator[None]:
    """Answer on 127.0.0.1 and the port, for the time of a `with`."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: BoundedProtocol(config, state, {}, loop), "127.0.0.1", port):
        yield
