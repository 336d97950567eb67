"""What a request says of its caller, and how much of it is believed."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

from mapae.server.domain.caller import USER_AGENT_LIMIT, Caller, printable
from mapae.server.domain.problems import Problem, ProblemCode

Network = IPv4Network | IPv6Network

#: 128 to 512 bits in base64url: enough to be unguessable, few enough to be kept.
_TOKEN_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{22,86}", re.ASCII)
_FORWARDED_FOR: Final = re.compile(r'(?:^|;)\s*for="?([^";]*)', re.IGNORECASE)
#: An address of a hop, which may stand with a port and, for IPv6, in brackets.
_HOP: Final = re.compile(r"\[([^\]]*)\](?::\d+)?|([0-9.]+):\d+|(.*)")


def caller_of(request: Request, trusted_proxies: Sequence[Network]) -> Caller:
    """Who calls.

    Raises:
        Problem: INVALID_REQUEST when `Mapae-Instance` or `Mapae-Attempt` is there and malformed.
    """
    return Caller(
        address=client_address(request, trusted_proxies),
        user_agent=printable(request.headers.get("user-agent"), limit=USER_AGENT_LIMIT),
        instance_digest=_digest_of(request.headers, "Mapae-Instance"),
        attempt_digest=_digest_of(request.headers, "Mapae-Attempt"),
    )


def client_address(request: Request, trusted_proxies: Sequence[Network]) -> str | None:
    """The address of the caller: the peer's, or what a trusted proxy says of it.

    `Forwarded` (RFC 7239) and `X-Forwarded-For` are read from the right, and only as long as the speaker is
    trusted: what stands left of the first untrusted address was written by a stranger. A proxy sets one of them
    and lets the other pass; where they differ nobody can say which, and neither is believed.
    """
    if request.client is None or not (address := _address(request.client.host)):
        return None
    if not trusted_proxies:
        return address
    told = {_told(address, hops, trusted_proxies) for hops in _hops(request.headers)}
    return told.pop() if len(told) == 1 else address


def _told(address: str, hops: list[str], trusted_proxies: Sequence[Network]) -> str:
    while hops and _is_trusted(address, trusted_proxies):
        hop = _address(hops.pop())
        if hop is None:
            # Hidden or unreadable; what stands left of it is a claim of somebody we cannot name.
            return address
        address = hop
    return address


@lru_cache(maxsize=4096)
def _address(text: str) -> str | None:
    found = _HOP.fullmatch(text.strip())
    try:
        return str(ip_address(found[found.lastindex])) if found and found.lastindex else None
    except ValueError:
        return None


def _hops(headers: Headers) -> Iterator[list[str]]:
    if forwarded := headers.getlist("forwarded"):
        elements = ",".join(forwarded).split(",")
        yield [found[1] if (found := _FORWARDED_FOR.search(element)) else "" for element in elements]
    if forwarded_for := headers.getlist("x-forwarded-for"):
        yield ",".join(forwarded_for).split(",")


def _is_trusted(address: str, networks: Sequence[Network]) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in networks)


def _digest_of(headers: Headers, name: str) -> bytes | None:
    values = headers.getlist(name)
    if not values:
        return None
    if len(values) > 1 or not _TOKEN_VALUE.fullmatch(values[0]):
        raise Problem(
            ProblemCode.INVALID_REQUEST, told=f"{name} has to be one value of 22 to 86 base64url characters."
        )
    return hashlib.sha256(values[0].encode("ascii")).digest()
