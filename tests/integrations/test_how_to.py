"""The programs of the how-tos for Django, DRF, gRPC and MCP run as they stand, but for their addresses."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mapae.testing import Issuer
from tests.journeys.processes import ROOT, environment, free_port, started
from tests.verifier.loopback import loopback_issuer

HOW_TO = ROOT / "docs" / "how-to"


class Programs:
    """The programs of a page in a folder, with an issuer and a port of their own."""

    def __init__(self, folder: Path, issuer_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.issuer_url = issuer_url
        self.environ = environment(PYTHONPATH=str(folder))

    def unpack(self, page: str) -> None:
        text = (HOW_TO / page).read_text("utf-8")
        for name, program in re.findall(
            r"^```python\n# (\w+\.py)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
        ):
            moved = program.replace("http://localhost:8000", self.issuer_url)
            (self.folder / name).write_text(moved.replace("8001", str(self.port)))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer on this machine; its audience is not that of any page."""
    with loopback_issuer() as loopback:
        issuer = Issuer(issuer=loopback.url, audience="unset")
        loopback.publish(*issuer.keys)
        yield issuer


@pytest.fixture
def programs(issuer: Issuer, tmp_path: Path) -> Programs:
    """Where the programs of a page will be."""
    return Programs(tmp_path, issuer.issuer)


@pytest.mark.parametrize(
    ("page", "command"),
    [
        ("protect-a-django-site.md", ["-m", "uvicorn", "orders:app", "--port", "{}"]),
        ("protect-a-drf-api.md", ["-m", "orders"]),
    ],
)
def test_a_site_serves_who_has_the_scope(
    page: str, command: list[str], programs: Programs, issuer: Issuer
) -> None:
    programs.unpack(page)
    url = f"http://localhost:{programs.port}"
    line = [sys.executable, *(part.format(programs.port) for part in command)]
    with started(line, environ=programs.environ, ready=url, log=programs.folder / "log"):
        answers = [
            httpx.get(f"{url}/orders", headers={"Authorization": f"Bearer {token}"} if token else {})
            for token in (
                issuer.token(audience=url, scopes=["orders:read"]),
                issuer.token(audience=url),
                "",
            )
        ]

    assert [answer.status_code for answer in answers] == [200, 403, 401]
    assert answers[0].json() == {"orders of": "alice"}


def test_a_service_serves_who_has_the_scope(programs: Programs, issuer: Issuer) -> None:
    programs.unpack("protect-a-grpc-service.md")
    audience = f"http://localhost:{programs.port}"
    token = issuer.token(audience=audience, scopes=["orders:read"])
    command = programs.folder / "mapae"  # what the caller of the page asks for a token
    command.write_text(f"#!/bin/sh\necho {token}\n")
    command.chmod(0o700)
    environ = programs.environ | {"PATH": f"{programs.folder}:{programs.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "orders.py"], env=environ, cwd=programs.folder) as server:
        try:
            with grpc.insecure_channel(f"localhost:{programs.port}") as channel:
                grpc.channel_ready_future(channel).result(timeout=20)
            done = subprocess.run(
                [sys.executable, "call.py"],
                env=environ,
                cwd=programs.folder,
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            server.terminate()

    assert done.stdout == "orders of alice\n"


async def test_an_mcp_server_wants_a_token_and_says_of_whom(programs: Programs, issuer: Issuer) -> None:
    programs.unpack("protect-a-mcp-server.md")
    url = f"http://localhost:{programs.port}"
    line = [sys.executable, "-m", "uvicorn", "orders:app", "--port", str(programs.port)]
    token = issuer.token(audience=f"{url}/mcp", scopes=["orders:read"])
    with started(line, environ=programs.environ, ready=url, log=programs.folder / "log"):
        async with httpx2.AsyncClient(base_url=url) as http:
            stranger = await http.post("/mcp", json={})
            metadata = (await http.get("/.well-known/oauth-protected-resource/mcp")).json()
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool("list_orders", {})

    assert stranger.status_code == 401
    assert metadata["authorization_servers"] == [issuer.issuer]
    assert result.structured_content == {"result": ["orders of alice"]}
