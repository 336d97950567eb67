"""Requests to addresses that others chose: https, to hosts of the public internet only, following nothing."""

import asyncio
import re
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

import h11

from mapae.jose import strict_json
from mapae.jose.errors import JoseError
from mapae.server.settings.values import Network

#: Seconds for all of it: looking up the name, connecting, asking, and the answer.
TIME_LIMIT_S: Final = 5
#: Bytes of an answer, its head among them.
SIZE_LIMIT: Final = 64 * 1024

_Address = IPv4Address | IPv6Address
#: What hosts of the internet have in IPv6 (RFC 4291 section 2.4).
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
#: None of these is a public host, which not every Python knows (IANA's registries of special-purpose addresses).
_SPECIAL: Final = tuple(map(ip_network, ("192.0.0.0/24", "2001::/23", "2001:db8::/32", "3fff::/20")))
#: IPv4 behind a translator (RFC 6052 section 2.1): the last four bytes are the host.
_NAT64: Final = IPv6Network("64:ff9b::/96")


class FetchFailed(Exception):
    """It could not be done; the text says why, for the log. Whoever chose the address is told no more than that."""


@cache  # to read the authorities of a system takes a while
def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class GuardedFetch:
    """Fetches and posts, within 5 s, at most 64 KiB, without redirects and without a proxy.

    A name is looked up once and what it came to is connected to, so the two cannot differ. An address that is not of
    the public internet is never spoken to unless the operator allows it.

    Args:
        allow: hosts by name, and networks, that may be reached although they are not public.
        ca_file: certificate authorities in PEM, besides those of the system.
    """

    def __init__(self, allow: Sequence[Network | str] = (), ca_file: Path | None = None) -> None:
        self._hosts = frozenset(item for item in allow if isinstance(item, str))
        self._networks = tuple(item for item in allow if not isinstance(item, str))
        self._tls = _trusting(ca_file)

    async def get_json(self, url: str) -> dict[str, Any]:
        """The JSON object at `url`.

        Raises:
            FetchFailed: anything but a 200 with one strict JSON object, in time.
        """
        async with self._asking(url) as (target, connection):
            status = await connection.ask("GET", target)
            if status != 200:
                raise FetchFailed(f"{url} answered {status}")
            body = await connection.body()
        try:
            return strict_json.parse_object(body)
        except JoseError as error:
            raise FetchFailed(f"{url} answered no JSON object: {error.detail}") from None

    async def post_form(self, url: str, members: Mapping[str, str]) -> int:
        """Post a form (application/x-www-form-urlencoded): the status of the answer, whose body is not read.

        Raises:
            FetchFailed: there was no answer in time.
        """
        async with self._asking(url) as (target, connection):
            return await connection.ask("POST", target, urlencode(members).encode())

    @asynccontextmanager
    async def _asking(self, url: str) -> "AsyncIterator[tuple[_Target, _Connection]]":
        target = _Target.of(url)
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                connection = await self._connect(target)
                try:
                    yield target, connection
                finally:
                    connection.close()
        except TimeoutError:
            raise FetchFailed(f"{url} did not answer in time") from None
        except (OSError, ValueError, h11.ProtocolError) as error:
            raise FetchFailed(f"{url} cannot be reached: {type(error).__name__}: {error}") from None

    async def _connect(self, target: "_Target") -> "_Connection":
        failure: OSError | None = None
        for address in await self._addresses(target):
            try:
                streams = await asyncio.open_connection(
                    str(address), target.port, ssl=self._tls, server_hostname=target.host
                )
                return _Connection(*streams)
            except OSError as error:
                failure = error
        raise failure or FetchFailed(f"{target.host} has no address that may be reached")

    async def _addresses(self, target: "_Target") -> list[_Address]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(ip_address(socket_address[0]) for *_, socket_address in found)
        return [address for address in addresses if self._may_reach(target.host, _seen_through(address))]

    def _may_reach(self, host: str, address: _Address) -> bool:
        return (
            _is_public(address)
            or host in self._hosts
            or any(address in network for network in self._networks)
        )


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    authority: str
    path: str

    @classmethod
    def of(cls, url: str) -> Self:
        try:
            parts = urlsplit(url)
            port = parts.port or 443
        except ValueError:
            raise FetchFailed("the URL cannot be read") from None
        if (
            not re.fullmatch(r"[!-~]+", url)
            or parts.scheme != "https"
            or not parts.hostname
            or "@" in parts.netloc
        ):
            raise FetchFailed("the URL is not https, has no host, or has a user name before it")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port, parts.netloc, path)


class _Connection:
    """One request and its answer over a connection of its own."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)
        self._received = 0

    async def ask(self, method: str, target: _Target, form: bytes = b"") -> int:
        """Send the request: the status of the answer."""
        headers = [("Host", target.authority), ("Accept", "application/json"), ("Connection", "close")]
        if form:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            headers.append(("Content-Length", str(len(form))))
        events = [
            h11.Request(method=method, target=target.path, headers=headers),
            h11.Data(data=form),
            h11.EndOfMessage(),
        ]
        for event in events:
            self._writer.write(self._protocol.send(event) or b"")
        await self._writer.drain()
        while not isinstance(event := await self._event(), h11.Response):
            pass  # of the informational answers before it, none was asked for
        return event.status_code

    async def body(self) -> bytes:
        """The body of the answer."""
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        return bytes(body)

    def close(self) -> None:
        """Close at once: the other side may take its time with a farewell."""
        self._writer.transport.abort()

    async def _event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            piece = await self._reader.read(SIZE_LIMIT)
            self._received += len(piece)
            if self._received > SIZE_LIMIT:
                raise FetchFailed(f"an answer of more than {SIZE_LIMIT} bytes")
            self._protocol.receive_data(piece)
        return event


def _seen_through(address: _Address) -> _Address:
    """The host that an address leads to, where IPv6 carries IPv4."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: _Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    is_special = address.is_multicast or any(address in network for network in _SPECIAL)
    return address.is_global and not is_special
