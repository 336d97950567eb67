"""The token in gRPC calls over TLS: to its own origin, renewed in time, with an error that says why there is none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.client.apis import Bench, signed_in
from tests.client.certificates import self_signed


@dataclass
class Service(grpc.GenericRpcHandler):
    """Answers every call with nothing, and remembers its `authorization`."""

    certificate: bytes = b""
    address: str = ""
    seen: list[str | None] = field(default_factory=list)

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        self.seen.append({key: str(value) for key, value in call.invocation_metadata}.get("authorization"))
        return grpc.unary_unary_rpc_method_handler(lambda request, _: request)

    @property
    def origin(self) -> str:
        return f"https://{self.address}"


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A signed-in session."""
    with signed_in() as signed:
        yield signed


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A gRPC server on the loopback interface."""
    pem = self_signed(tmp_path).read_bytes()
    key = pem[pem.index(b"-----BEGIN PRIVATE") :]
    handler = Service(certificate=pem[: -len(key)])
    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        server = grpc.server(pool, handlers=[handler])
        port = server.add_secure_port(
            "localhost:0", grpc.ssl_server_credentials([(key, handler.certificate)])
        )
        handler.address = f"localhost:{port}"
        server.start()
        stack.callback(lambda: server.stop(None).wait())
        yield handler


def channel_credentials(bench: Bench, service: Service, origin: str) -> grpc.ChannelCredentials:
    tls = grpc.ssl_channel_credentials(service.certificate)
    return grpc.composite_channel_credentials(tls, bench.session.grpc_credentials(origin))


def _list_orders(channel: Any) -> Any:
    return channel.unary_unary("/orders.Orders/List")


def call(bench: Bench, service: Service, origin: str) -> None:
    with grpc.secure_channel(service.address, channel_credentials(bench, service, origin)) as channel:
        _list_orders(channel)(b"", timeout=20)


def test_a_call_carries_the_token(bench: Bench, service: Service) -> None:
    call(bench, service, service.origin)

    assert service.seen == ["Bearer access-0-1"]


def test_a_token_near_its_end_is_renewed_first(bench: Bench, service: Service) -> None:
    bench.clock.advance(280)
    call(bench, service, service.origin)

    assert service.seen == ["Bearer access-1-2"]


async def test_asyncio_channels_take_the_same_credentials(bench: Bench, service: Service) -> None:
    bench.clock.advance(280)
    credentials = channel_credentials(bench, service, service.origin)
    async with grpc.aio.secure_channel(service.address, credentials) as channel:
        await _list_orders(channel)(b"", timeout=20)

    assert service.seen == ["Bearer access-1-2"]


def test_another_origin_gets_no_token(bench: Bench, service: Service) -> None:
    call(bench, service, "https://localhost")

    assert service.seen == [None]


def test_a_session_that_is_over_fails_the_call_and_says_why(bench: Bench, service: Service) -> None:
    bench.auth.ended = "password_changed"
    bench.clock.advance(301)

    with pytest.raises(grpc.RpcError, match="password changed"):
        call(bench, service, service.origin)
    assert service.seen == []
