"""A small load generator: connections that send their next request as soon as they have an answer."""

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvloop

#: From a request and the body of its answer, or the head of a redirect, to the next request.
Follow = Callable[[bytes, bytes], bytes]


@dataclass(frozen=True)
class Load:
    """What came of it: how long each answer took, and how long all together, in seconds."""

    latencies_s: Sequence[float]
    took_s: float

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.took_s

    def percentile_ms(self, share: float) -> float:
        """The latency that this share of the answers did not exceed, in milliseconds."""
        return sorted(self.latencies_s)[math.ceil(share * len(self.latencies_s)) - 1] * 1000


def post(path: str, body: dict[str, str], *headers: str) -> bytes:
    """A request with JSON, as bytes."""
    content = json.dumps(body, separators=(",", ":"))
    return _post(path, content, "Content-Type: application/json", *headers)


def form(path: str, body: str, *headers: str) -> bytes:
    """A request with a form, as bytes."""
    return _post(path, body, "Content-Type: application/x-www-form-urlencoded", *headers)


def _post(path: str, body: str, *headers: str) -> bytes:
    head = (f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers)
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def ask(port: int, requests: Sequence[bytes]) -> list[dict[str, Any]]:
    """The answers to these requests, each on a connection of its own, one after the other."""

    async def run() -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []

        def keep(request: bytes, body: bytes) -> bytes:
            answers.append(json.loads(body))
            return request

        for request in requests:
            await _drive(port, [request], keep, for_s=0)
        return answers

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def drive(port: int, firsts: Sequence[bytes], follow: Follow, *, for_s: float) -> Load:
    """One connection for each first request, all at once, until the time is over."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(port, firsts, follow, for_s=for_s))


async def _drive(port: int, firsts: Sequence[bytes], follow: Follow, *, for_s: float) -> Load:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    callers = []
    for first in firsts:
        _, caller = await loop.create_connection(
            partial(_Caller, first, follow, until=began + for_s), "127.0.0.1", port
        )
        callers.append(caller)
    await asyncio.gather(*(caller.done for caller in callers))
    took_s = time.perf_counter() - began
    return Load([latency for caller in callers for latency in caller.latencies_s], took_s)


class _Caller(asyncio.Protocol):
    def __init__(self, first: bytes, follow: Follow, *, until: float) -> None:
        self._next, self._follow, self._until = first, follow, until
        self._received = bytearray()
        self.latencies_s: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = bytes(self._received).partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self.latencies_s.append(time.perf_counter() - self._began)
        self._received.clear()
        redirected = head.startswith(b"HTTP/1.1 303 ")
        if not redirected and not head.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(body.decode()))
            self._transport.close()
            return
        self._next = self._follow(self._next, head if redirected else body)
        if time.perf_counter() < self._until:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._next)
