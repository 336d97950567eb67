"""The attacker has the server fetch what only the server can reach (OWASP WSTG-INPV-19, RFC 9101 section 10.4)."""

import socket
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from mapae.server.adapters.fetch import FetchFailed, GuardedFetch
from tests.private_ca import private_ca
from tests.server.adapters.outside import answered, outside, resolving

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "3fff::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Something that listens on this machine, and nobody may find out."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.setblocking(False)
        yield made


def was_left_alone(listener: socket.socket) -> bool:
    """Whether nobody connected: the kernel has every connection ready before its maker goes on."""
    with pytest.raises(BlockingIOError):
        listener.accept()
    return True


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_leads_inside_is_not_followed(
    address: str, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving([address]))
    port = listener.getsockname()[1]
    for ask in (GuardedFetch().get_json, lambda url: GuardedFetch().post_form(url, {"a": "b"})):
        with pytest.raises(FetchFailed, match="no address that may be reached"):
            await ask(f"https://innocent.example.com:{port}/")
    assert was_left_alone(listener)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "169.254.169.254",
    ],
)
async def test_no_spelling_of_an_address_leads_inside(host: str, listener: socket.socket) -> None:
    with pytest.raises(FetchFailed):
        await GuardedFetch().get_json(f"https://{host}:{listener.getsockname()[1]}/")
    assert was_left_alone(listener)


async def test_open_and_closed_ports_inside_are_one_answer(listener: socket.socket) -> None:
    opened = listener.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as other:
        closed = other.getsockname()[1]
    told = []
    for port in (opened, closed):
        with pytest.raises(FetchFailed) as failed:
            await GuardedFetch().get_json(f"https://localhost:{port}/")
        told.append(str(failed.value))
    assert told[0] == told[1]


async def test_a_name_that_changes_its_mind_is_asked_once(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: an address that passes when it is checked, another when it is connected to."""
    ca = private_ca(tmp_path)
    resolver = resolving(["127.0.0.9"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    guarded = GuardedFetch((ip_network("127.0.0.9"),), ca.file)
    port = listener.getsockname()[1]
    with pytest.raises(FetchFailed, match="cannot be reached"):
        await guarded.get_json(f"https://rebinding.example.com:{port}/")
    assert resolver.asked == ["rebinding.example.com"]
    assert was_left_alone(listener)


async def test_among_several_addresses_those_inside_are_left_out(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = private_ca(tmp_path)
    guarded = GuardedFetch((ip_network("127.0.0.9"),), ca.file)
    async with outside(answered(b"{}"), ca.serving("both.example.com"), host="127.0.0.9") as host:
        with socket.create_server(("127.0.0.1", host.port)) as inside:
            inside.setblocking(False)
            monkeypatch.setattr(socket, "getaddrinfo", resolving(["127.0.0.1", "::1", "127.0.0.9"]))
            assert await guarded.get_json(host.url(host="both.example.com")) == {}
            assert was_left_alone(inside)


async def test_a_redirect_leads_nowhere(tmp_path: Path, listener: socket.socket) -> None:
    ca = private_ca(tmp_path)
    guarded = GuardedFetch(("localhost",), ca.file)
    for status in ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"):
        inside = f"Location: http://127.0.0.1:{listener.getsockname()[1]}/"
        async with outside(answered(b"", inside, status=status), ca.serving("localhost")) as host:
            with pytest.raises(FetchFailed, match=f"answered {status[:3]}"):
                await guarded.get_json(host.url())
    assert was_left_alone(listener)
