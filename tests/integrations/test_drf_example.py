"""The example in Django REST framework as a process of its own, called over HTTP."""

import sys
from pathlib import Path

import httpx

from mapae.testing import Issuer
from tests.journeys.processes import environment, free_port, started
from tests.verifier.loopback import loopback_issuer


def test_the_example_serves_users(tmp_path: Path) -> None:
    with loopback_issuer() as loopback:
        issuer = Issuer(issuer=loopback.url, audience="http://localhost:8001")
        loopback.publish(*issuer.keys)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "examples.drf_api", "--issuer", loopback.url, "--port", str(port)]
        with (
            started(command, environ=environment(), ready=url, log=tmp_path / "log"),
            httpx.Client(base_url=url) as client,
        ):
            alice = {"Authorization": f"Bearer {issuer.token(scopes=['orders:read', 'orders:write'])}"}
            reader = {"Authorization": f"Bearer {issuer.token(subject='bob', scopes=['orders:read'])}"}
            assert client.post("/orders", headers=alice, json={"item": "a saddle"}).status_code == 201
            assert client.get("/orders", headers=alice).json() == {"orders": ["a saddle"]}
            assert client.get("/orders", headers=reader).json() == {"orders": []}
            refused = client.post("/orders", headers=reader, json={"item": "a bridle"})
            assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
            assert client.post("/orders", headers=alice, json={}).status_code == 400
            assert client.get("/orders").headers["www-authenticate"] == 'Bearer realm="orders"'
