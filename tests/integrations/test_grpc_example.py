"""The example of gRPC as a process of its own, called by a client of gRPC."""

import json
import subprocess
import sys
from typing import Any

import grpc
import pytest

from mapae.testing import Issuer
from tests.journeys.processes import ROOT, environment, free_port
from tests.verifier.loopback import loopback_issuer


def test_the_example_serves_users() -> None:
    with loopback_issuer() as loopback:
        issuer = Issuer(issuer=loopback.url, audience="http://localhost:8001")
        loopback.publish(*issuer.keys)
        port = free_port()
        command = [sys.executable, "-m", "examples.grpc_api", "--issuer", loopback.url, "--port", str(port)]
        with subprocess.Popen(command, env=environment(), cwd=ROOT) as server:
            try:
                with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                    grpc.channel_ready_future(channel).result(timeout=20)
                    _call_every_method(channel, issuer)
            finally:
                server.terminate()


def _call_every_method(channel: grpc.Channel, issuer: Issuer) -> None:
    def encode(message: Any) -> bytes:
        return json.dumps(message).encode()

    def bearer(**options: Any) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {issuer.token(**options)}"),)

    list_orders = channel.unary_stream("/example.Orders/List", encode, json.loads)
    create = channel.unary_unary("/example.Orders/Create", encode, json.loads)
    health = channel.unary_unary("/example.Orders/Health", encode, json.loads)
    alice = bearer(scopes=["orders:read", "orders:write"])
    reader = bearer(subject="bob", scopes=["orders:read"])

    assert health({}) == {"status": "SERVING"}
    assert create({"item": "a saddle"}, metadata=alice) == {"item": "a saddle"}
    assert list(list_orders({}, metadata=alice)) == [{"item": "a saddle"}]
    assert list(list_orders({}, metadata=reader)) == []
    with pytest.raises(grpc.RpcError) as denied:
        create({"item": "a bridle"}, metadata=reader)
    with pytest.raises(grpc.RpcError) as unknown:
        list(list_orders({}))
    assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert unknown.value.code() is grpc.StatusCode.UNAUTHENTICATED
    trailing = {item.key: str(item.value) for item in unknown.value.trailing_metadata() or ()}
    assert trailing["www-authenticate"] == 'Bearer realm="orders"'
