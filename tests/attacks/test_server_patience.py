"""The attacker is slow (slowloris, CWE-400). The protocol runs on a real socket with less patience than in life."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from mapae.entropy import system_entropy
from mapae.server.adapters.metrics import Metrics
from mapae.server.http import protocol
from mapae.server.http.body import read_body
from mapae.server.http.front import Front
from mapae.server.http.pages.rendering import Pages
from mapae.server.http.protocol import BoundedProtocol


async def greet(request: Request) -> Response:
    return PlainTextResponse("hello")


async def read(request: Request) -> Response:
    await read_body(request)
    return PlainTextResponse("read")


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the protocol with a small application behind it."""
    router = Router([Route("/", greet), Route("/", read, methods=["POST"])])
    app = Front(
        router, pages=Pages("http://localhost"), https=False, entropy=system_entropy, metrics=Metrics()
    )
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedProtocol(config, state, {}, loop), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()


async def answers(reader: asyncio.StreamReader) -> list[tuple[int, Any]]:
    """Status and code (or text) of every answer, once the server has closed the connection."""
    found = []
    stream = await reader.read()
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        (length,) = [
            int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        text, stream = rest[:length], rest[length:]
        found.append((int(head.split()[1]), json.loads(text)["code"] if b"problem+json" in head else text))
    return found


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE_S", 0.1)


pytestmark = pytest.mark.usefixtures("hurried")


async def test_a_head_that_does_not_end_is_408() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y")
        assert await answers(reader) == [(408, "request_timeout")]


async def test_a_head_that_arrives_drop_by_drop_is_408_all_the_same() -> None:
    async def drip() -> None:
        while True:
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.01)

    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        dripping = asyncio.create_task(drip())
        assert await answers(reader) == [(408, "request_timeout")]
        dripping.cancel()


async def test_a_body_that_does_not_end_is_408() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        assert await answers(reader) == [(408, "request_timeout")]


async def test_a_body_nobody_waits_for_does_not_hold_the_connection() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        assert await answers(reader) == [(200, b"hello")]


async def test_a_connection_that_asks_nothing_is_closed_without_a_word() -> None:
    async with connected() as (reader, _):
        assert await answers(reader) == []


async def test_the_second_request_of_a_connection_has_a_head_to_finish_too() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT")
        assert await answers(reader) == [(200, b"hello"), (408, "request_timeout")]


async def test_a_request_that_pauses_between_its_bytes_is_served() -> None:
    async with connected() as (reader, writer):
        for piece in (b"POST / HTTP/1.1\r\nHost: loc", b"alhost\r\nContent-Type: application/json\r\n",
                      b"Connection: close\r\nContent-Length: 2\r\n\r\n{", b"}"):  # fmt: skip
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert await answers(reader) == [(200, b"read")]
