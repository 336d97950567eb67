"""A host out there, under the control of somebody else: it answers with whatever bytes it likes, over TLS."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Outside:
    """Where it listens, what it answers, and what it was asked."""

    port: int
    answer: Sequence[bytes]
    requests: list[bytes] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    def url(self, path: str = "/jwks.json", host: str = "localhost") -> str:
        """An address of it."""
        return f"https://{host}:{self.port}{path}"


def answered(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer with a body."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def outside(
    answer: bytes | Sequence[bytes], tls: ssl.SSLContext, *, host: str = "127.0.0.1"
) -> AsyncIterator[Outside]:
    """A host that sends these pieces to whoever connects and asks; with no piece left, it waits for ever."""
    made = Outside(0, [answer] if isinstance(answer, bytes) else answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            made.requests.append(head)
            made.bodies.append((await reader.readexactly(int(length[1]) if length else 0)).decode())
            for piece in made.answer:
                writer.write(piece)
                await writer.drain()
            while await reader.read(65536):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side has heard enough
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def resolving(*rounds: Sequence[str]) -> "Resolver":
    """A resolver in the hands of an attacker: it answers with these addresses, round by round, the last for ever."""
    return Resolver(list(rounds))


@dataclass
class Resolver:
    """Stands in for `socket.getaddrinfo`; addresses are told as they are."""

    rounds: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        addresses = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]
