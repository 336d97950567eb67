"""The guarded fetch: what it takes for an answer, within which limits, and whom it trusts."""

import json
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from mapae.server.adapters import fetch
from mapae.server.adapters.fetch import SIZE_LIMIT, FetchFailed, GuardedFetch
from tests.private_ca import PrivateCa, private_ca
from tests.server.adapters.outside import answered, outside, resolving

ALLOW = (ip_network("127.0.0.0/8"),)
JSON = answered(b'{"keys": []}')


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCa:
    return private_ca(tmp_path)


@pytest.fixture
def tls(ca: PrivateCa) -> ssl.SSLContext:
    return ca.serving("localhost", "127.0.0.1")


@pytest.fixture
def guarded(ca: PrivateCa) -> GuardedFetch:
    return GuardedFetch(ALLOW, ca.file)


@pytest.mark.parametrize(
    "answer",
    [
        JSON,
        [JSON[:20], JSON[20:]],
        answered(b'{"keys": []}', "Content-Type: text/plain"),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"keys\r\n6\r\n": []}\r\n0\r\n\r\n',
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" + JSON,
    ],
    ids=["at once", "in pieces", "any content type", "in chunks", "after an informational answer"],
)
async def test_a_json_object_is_fetched(
    guarded: GuardedFetch, tls: ssl.SSLContext, answer: bytes | Sequence[bytes]
) -> None:
    async with outside(answer, tls) as host:
        assert await guarded.get_json(host.url("/jwks.json?tenant=a%20b")) == {"keys": []}
    head = host.requests[0].decode().split("\r\n")
    assert head[0] == "GET /jwks.json?tenant=a%20b HTTP/1.1"
    assert f"Host: localhost:{host.port}" in head


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answered(b"{}", status="404 Not Found"), "answered 404"),
        (answered(b"{}", "Location: https://localhost/", status="302 Found"), "answered 302"),
        (answered(b"", status="204 No Content"), "answered 204"),
        (answered(b"<html>"), "no JSON object"),
        (answered(b"[]"), "no JSON object"),
        (answered(b'{"keys": [], "keys": []}'), "no JSON object"),
        (answered(b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"), "no JSON object"),
        (answered(json.dumps({"a": "x" * SIZE_LIMIT}).encode()), "more than"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000, "cannot be reached"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, "more than"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "cannot be reached",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "cannot be reached"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "cannot be reached"),
    ],
)
async def test_everything_else_is_a_failure(
    guarded: GuardedFetch, tls: ssl.SSLContext, answer: bytes, why: str
) -> None:
    async with outside(answer, tls) as host:
        with pytest.raises(FetchFailed, match=why):
            await guarded.get_json(host.url())


async def test_a_form_is_posted_and_the_answer_is_its_status(
    guarded: GuardedFetch, tls: ssl.SSLContext
) -> None:
    async with outside(b"HTTP/1.1 204 No Content\r\n\r\n", tls) as host:
        assert await guarded.post_form(host.url("/ended"), {"logout_token": "a.b.c", "x": "é &="}) == 204
    head, _, _ = host.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /ended HTTP/1.1\r\n")
    assert "Content-Type: application/x-www-form-urlencoded" in head
    assert f"Content-Length: {len('logout_token=a.b.c&x=%C3%A9+%26%3D')}" in head


async def test_the_body_of_a_form_arrives(guarded: GuardedFetch, tls: ssl.SSLContext) -> None:
    async with outside(answered(b""), tls) as host:
        await guarded.post_form(host.url(), {"logout_token": "a.b.c", "x": "é &="})
        assert parse_qs(host.bodies[0]) == {"logout_token": ["a.b.c"], "x": ["é &="]}


async def test_a_redirect_of_a_form_is_a_status_and_nothing_more(
    guarded: GuardedFetch, tls: ssl.SSLContext
) -> None:
    async with outside(JSON, tls) as elsewhere:
        redirect = answered(b"", f"Location: {elsewhere.url()}", status="307 Temporary Redirect")
        async with outside(redirect, tls) as host:
            assert await guarded.post_form(host.url(), {"a": "b"}) == 307
    assert elsewhere.requests == []


@pytest.mark.parametrize("answer", [[], [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"]])
async def test_a_host_that_takes_its_time_is_given_up(
    guarded: GuardedFetch, tls: ssl.SSLContext, answer: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "TIME_LIMIT_S", 0.2)
    async with outside(answer, tls) as host:
        with pytest.raises(FetchFailed, match="in time"):
            await guarded.get_json(host.url())


async def test_a_certificate_has_to_be_of_a_trusted_authority_and_for_the_host(
    ca: PrivateCa, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    async with outside(JSON, tls) as host:
        with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await GuardedFetch(ALLOW).get_json(host.url())
    async with outside(JSON, ca.serving("other.example.com")) as host:
        with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await GuardedFetch(ALLOW, ca.file).get_json(host.url())


async def test_a_host_may_be_allowed_by_name(ca: PrivateCa, tls: ssl.SSLContext) -> None:
    async with outside(JSON, tls) as host:
        assert await GuardedFetch(("localhost",), ca.file).get_json(host.url()) == {"keys": []}
        with pytest.raises(FetchFailed, match="no address that may be reached"):
            await GuardedFetch(("localhost",), ca.file).get_json(host.url(host="127.0.0.1"))


async def test_the_next_address_is_tried_when_one_does_not_answer(
    guarded: GuardedFetch, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving(["127.0.0.2", "127.0.0.1"]))
    async with outside(JSON, tls) as host:
        assert await guarded.get_json(host.url()) == {"keys": []}


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "file:///etc/passwd",
        "gopher://localhost/",
        "https://",
        "https:///path",
        "https://user@localhost/",
        "https://user:secret@localhost/",
        "https://localhost:99999/",
        "https://[::1/",
        "https://local host/",
        "https://localhost/a b",
        "https://localhost/\r\nX: y",
        "https://bücher.example/",
        "//localhost/",
        "",
    ],
)
async def test_what_is_no_https_url_is_not_asked(guarded: GuardedFetch, url: str) -> None:
    with pytest.raises(FetchFailed, match="the URL"):
        await guarded.get_json(url)


async def test_a_name_that_cannot_be_one_is_a_failure(guarded: GuardedFetch) -> None:
    with pytest.raises(FetchFailed, match="cannot be reached"):
        await guarded.get_json(f"https://{'a' * 70}.example/")
