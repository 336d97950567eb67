"""GET a small JSON document, within one time limit for all of it, following nothing it points to."""

import io
import re
import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, NamedTuple, cast
from urllib.parse import SplitResult, urlsplit

from mapae.clock import Clock, monotonic_clock
from mapae.jose import strict_json
from mapae.jose.errors import JoseError
from mapae.verifier.origin import is_loopback, is_protected

SIZE_LIMIT: Final = 64 * 1024

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})", re.IGNORECASE)
_UNKEPT: Final = re.compile(r"(?:^|[\s,])(?:no-store|no-cache)\b", re.IGNORECASE)


class FetchFailed(Exception):
    """The document could not be had; the text says why, for the log."""


class Document(NamedTuple):
    """A JSON object, and the seconds its publisher lets us keep it, None when nothing is said."""

    members: dict[str, Any]
    max_age_s: int | None


def get(url: str, *, deadline: float, clock: Clock = monotonic_clock) -> Document:
    """The JSON object at `url`.

    Args:
        deadline: moment of `clock` by which the last byte has to be here; looking up the name of the host is
            the one part it cannot cut short
    Raises:
        FetchFailed: anything but a 200 with a strict JSON object of at most 64 KiB in time. A redirect is
            not followed; a URL that is neither https nor on this machine is not asked.

    Certificates are checked against the authorities of the system. https goes through the proxy of the
    environment, this machine is reached directly.
    """
    if not is_protected(url):
        raise FetchFailed("neither https nor on this machine")
    parts = urlsplit(url)
    try:
        connection = connection_to(parts, timeout=_left(deadline, clock))
        with closing(connection):
            connection.connect()
            with closing(connection.sock):
                connection.sock = cast("socket.socket", _Timed(connection.sock, deadline, clock))
                connection.request("GET", _target(parts), headers={"Accept": "application/json"})
                response = connection.getresponse()
                if response.status != 200:
                    raise FetchFailed(f"{url} answered {response.status}")
                body = response.read(SIZE_LIMIT + 1)
                if len(body) > SIZE_LIMIT:
                    raise FetchFailed(f"{url} answered more than {SIZE_LIMIT} bytes")
                cache_control = response.getheader("Cache-Control", "")
        return Document(strict_json.parse_object(body), _max_age(cache_control))
    except JoseError as error:
        raise FetchFailed(f"{url} answered no JSON object: {error.detail}") from None
    except TimeoutError:
        raise FetchFailed(f"{url} did not answer in time") from None
    except (OSError, HTTPException, ValueError) as error:
        raise FetchFailed(f"{url} cannot be reached: {type(error).__name__}: {error}") from None


class _Timed(io.RawIOBase):
    """As much of a socket as `http.client` uses, with one deadline for everything that goes through it."""

    def __init__(self, sock: socket.socket, deadline: float, clock: Clock) -> None:
        self._sock = sock
        self._deadline = deadline
        self._clock = clock

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline, self._clock))
        self._sock.sendall(data)

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline, self._clock))
        return self._sock.recv_into(buffer)

    def readable(self) -> bool:
        return True

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Nothing: `http.client` closes before the answer is read, `get` when all is done."""


def _left(deadline: float, clock: Clock) -> float:
    left = deadline - clock()
    if left <= 0:
        raise TimeoutError
    return left


def connection_to(parts: SplitResult, timeout: float) -> HTTPConnection:
    """A connection to the host of a URL, not opened yet: with https by the proxy of the environment, if any."""
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=timeout)
    proxy = None if is_loopback(host) else _proxy(host)
    if proxy is None:
        return HTTPSConnection(host, parts.port, timeout=timeout)
    connection = HTTPSConnection(proxy.hostname or "", proxy.port, timeout=timeout)
    connection.set_tunnel(host, parts.port or 443)
    return connection


def _proxy(host: str) -> SplitResult | None:
    from urllib.request import getproxies, proxy_bypass  # heavy, and only fetches need it

    proxy = getproxies().get("https")
    return None if proxy is None or proxy_bypass(host) else urlsplit(proxy if "//" in proxy else f"//{proxy}")


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _max_age(cache_control: str) -> int | None:
    if _UNKEPT.search(cache_control):
        return 0
    found = _MAX_AGE.search(cache_control)
    return int(found[1]) if found else None
