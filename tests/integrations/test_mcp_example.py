"""The example of the Model Context Protocol as a process of its own, called by the client of the SDK."""

import sys
from pathlib import Path

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mapae.testing import Issuer
from tests.journeys.processes import environment, free_port, started
from tests.verifier.loopback import loopback_issuer


async def test_the_example_serves_users(tmp_path: Path) -> None:
    with loopback_issuer() as loopback:
        port = free_port()
        url = f"http://127.0.0.1:{port}/mcp"
        issuer = Issuer(issuer=loopback.url, audience=url)
        loopback.publish(*issuer.keys)
        command = [sys.executable, "-m", "examples.mcp_server"]
        command += ["--issuer", loopback.url, "--audience", url, "--port", str(port)]
        alice = issuer.token(scopes=["orders:read", "orders:write"])
        admin = issuer.token(scopes=["orders:read", "orders:write"], roles=["admin"])
        reader = issuer.token(subject="bob", scopes=["orders:read"])
        with started(command, environ=environment(), ready=url, log=tmp_path / "log"):
            assert await _called(url, alice, "add_order", item="a saddle") == "ordered: a saddle"
            assert await _called(url, alice, "list_orders") == "a saddle"
            assert await _called(url, reader, "list_orders") == ""
            assert 'needs: scope="orders:write"' in await _called(url, reader, "add_order", item="a bridle")
            assert "does not cover this call" in await _called(url, alice, "clear_orders")
            assert await _called(url, admin, "clear_orders") == "cleared"
            assert await _called(url, alice, "list_orders") == ""
            async with httpx2.AsyncClient() as http:
                stranger = await http.post(url, json={})
                metadata = await http.get(f"http://127.0.0.1:{port}/.well-known/oauth-protected-resource/mcp")
    assert stranger.status_code == 401
    assert metadata.json()["authorization_servers"] == [loopback.url]


async def _called(url: str, token: str, tool: str, **arguments: str) -> str:
    """The text that a tool answers."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        result = await client.call_tool(tool, arguments)
        return "".join(getattr(block, "text", "") for block in result.content)
