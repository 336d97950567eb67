"""Whose address a request has, and who may say so."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from mapae.server.http.request_facts import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


def request_from(peer: str | None, *headers: tuple[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "client": peer and (peer, 4711), "headers": raw})


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        (None, [], None),
        ("a unix socket", [], None),
        ("192.0.2.1", [("X-Forwarded-For", "198.51.100.9")], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [("X-Forwarded-For", "198.51.100.9")], "198.51.100.9"),
        ("10.0.0.1", [("X-Forwarded-For", "1.1.1.1, 198.51.100.9, 10.0.0.2")], "198.51.100.9"),
        ("10.0.0.1", [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "198.51.100.9")], "198.51.100.9"),
        ("10.0.0.1", [("X-Forwarded-For", "198.51.100.9:4711")], "198.51.100.9"),
        ("10.0.0.1", [("X-Forwarded-For", "[2001:db9::1]:4711")], "2001:db9::1"),
        ("10.0.0.1", [("X-Forwarded-For", "1.1.1.1, nonsense")], "10.0.0.1"),
        ("10.0.0.1", [("X-Forwarded-For", "")], "10.0.0.1"),
        ("10.0.0.1", [("Forwarded", "for=198.51.100.9")], "198.51.100.9"),
        ("10.0.0.1", [("Forwarded", 'proto=https;For="198.51.100.9:1";by=10.0.0.1')], "198.51.100.9"),
        ("2001:db8::1", [("Forwarded", 'for="[2001:db9::7]:80"')], "2001:db9::7"),
        ("10.0.0.1", [("Forwarded", "for=1.1.1.1, for=unknown")], "10.0.0.1"),
        ("10.0.0.1", [("Forwarded", "for=1.1.1.1, for=_hidden")], "10.0.0.1"),
        ("10.0.0.1", [("Forwarded", "for=1.1.1.1, proto=https")], "10.0.0.1"),
        ("10.0.0.1", [("Forwarded", "for=198.51.100.9"), ("X-Forwarded-For", "1.1.1.1")], "10.0.0.1"),
        ("10.0.0.1", [("X-Forwarded-For", "9.9.9.9, 1.1.1.1"), ("Forwarded", "for=1.1.1.1")], "1.1.1.1"),
        ("10.0.0.1", [("X-Forwarded-For", ", ".join(["10.0.0.9"] * 1000))], "10.0.0.9"),
    ],
)
def test_whose_address_it_is(peer: str | None, headers: list[tuple[str, str]], address: str | None) -> None:
    assert client_address(request_from(peer, *headers), PROXIES) == address
