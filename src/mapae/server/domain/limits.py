"""Limits on guessing passwords: how many wrong guesses are free, and how long the next one has to wait.

A bucket is one number, the time until which its guesses are paid for (the generic cell rate algorithm): each guess
moves it on by the interval of its limit, and a guess that would move it further ahead of now than the burst allows
has to wait. Only wrong guesses count.

| bucket | whose guesses | free at once | then one each |
|---|---|---|---|
| account | of strangers at one user name, whether or not there is such a user | 100 (NIST SP 800-63B-4 3.2.2) | 864 s |
| address | from one IPv4 address or IPv6 /64, at any account | 300 | 10 s |
| device | of an installation that has signed in to this account before; it spends from no other | 100 | 864 s |
| process | all that one worker hears, kept in its memory | 3,000 | 0.02 s |
"""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from mapae.jose import base64url
from mapae.server.domain.caller import Caller


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` guesses at once, then one each `interval_s` seconds."""

    burst: int
    interval_s: float

    @property
    def tolerance_s(self) -> float:
        """How far ahead of now a bucket may be for one more guess."""
        return (self.burst - 1) * self.interval_s


ACCOUNT: Final = Limit(100, 864)
ADDRESS: Final = Limit(300, 10)
DEVICE: Final = Limit(100, 864)
PROCESS: Final = Limit(3000, 0.02)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one guess spends from. The key holds nothing that a person typed."""

    key: str
    limit: Limit


def account_bucket(username_key: str) -> Bucket:
    """The bucket of a user name, existing or not, in the form that names are compared in."""
    return Bucket(f"account:{_digest(username_key.encode())}", ACCOUNT)


def address_bucket(address: str) -> Bucket:
    """The bucket of an address. All of an IPv6 /64 is one: it belongs to one customer."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or ip_network((parsed, 64), strict=False).network_address
    return Bucket(f"address:{parsed}", ADDRESS)


def device_bucket(username_key: str, instance_digest: bytes) -> Bucket:
    """The bucket of a known installation at one account."""
    return Bucket(f"device:{_digest(instance_digest + username_key.encode())}", DEVICE)


def buckets_of(username_key: str, caller: Caller, *, known_device: bool) -> list[Bucket]:
    """What a guess of this caller at this account spends from.

    Args:
        known_device: the caller's installation has signed in to the account before. What strangers spend, wherever
            they are, does not keep it out.
    """
    if known_device and caller.instance_digest is not None:
        return [device_bucket(username_key, caller.instance_digest)]
    buckets = [account_bucket(username_key)]
    if caller.address is not None:
        buckets.append(address_bucket(caller.address))
    return buckets


def _digest(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest()[:15])
