"""The orders API: whose orders who sees, and that it runs without the server."""

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from examples.orders_api.app import orders_app
from mapae.jose import jwt
from mapae.jose.jwk import Jwk
from mapae.testing import Issuer
from tests.journeys.processes import environment, free_port, started
from tests.verifier.loopback import loopback_issuer

ISSUER = Issuer(audience="http://localhost:8001")
EVERYTHING = ["orders:read", "orders:write"]


@pytest.fixture
def api() -> TestClient:
    return TestClient(orders_app(ISSUER.verifier()))


def _as(subject: str, **options: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(subject=subject, **{'scopes': EVERYTHING, **options})}"}


def _items(answer: Any) -> list[str]:
    return [order["item"] for order in answer.json()["orders"]]


def test_a_member_sees_their_own_orders(api: TestClient) -> None:
    api.post("/orders", headers=_as("alice"), json={"item": "tea"})
    api.post("/orders", headers=_as("bob"), json={"item": "coffee"})

    assert _items(api.get("/orders", headers=_as("alice", roles=["member"]))) == ["tea"]


def test_an_admin_sees_all_orders(api: TestClient) -> None:
    api.post("/orders", headers=_as("alice"), json={"item": "tea"})
    api.post("/orders", headers=_as("bob"), json={"item": "coffee"})

    assert _items(api.get("/orders", headers=_as("carol", roles=["admin"]))) == ["tea", "coffee"]


def test_a_new_order_is_answered_with_its_number(api: TestClient) -> None:
    answer = api.post("/orders", headers=_as("alice"), json={"item": "tea"})

    assert (answer.status_code, answer.json()) == (201, {"number": 1, "owner": "alice", "item": "tea"})


@pytest.mark.parametrize("body", [b"", b"tea", b"[]", b'"tea"', b"{}", b'{"item":1}', b"\xff"])
def test_a_body_without_an_item_is_told_so(api: TestClient, body: bytes) -> None:
    assert api.post("/orders", headers=_as("alice"), content=body).status_code == 400


@pytest.mark.parametrize(("method", "scope"), [("GET", "orders:write"), ("POST", "orders:read")])
def test_each_call_needs_its_scope(api: TestClient, method: str, scope: str) -> None:
    answer = api.request(method, "/orders", headers=_as("alice", scopes=[scope]), json={"item": "tea"})

    assert answer.status_code == 403


def test_it_runs_as_a_program_and_goes_on_without_its_issuer(tmp_path: Path) -> None:
    key, url, audience = Jwk.generate("ES256"), f"http://127.0.0.1:{free_port()}", "http://localhost:8001"
    with loopback_issuer() as issuer:
        issuer.publish(key)
        command = [
            sys.executable,
            "-m",
            "examples.orders_api",
            "--issuer",
            issuer.url,
            "--audience",
            audience,
        ]
        port = url.rpartition(":")[2]
        running = started(
            [*command, "--port", port], environ=environment(), ready=f"{url}/orders", log=tmp_path / "log"
        )
        usual = {"iss": issuer.url, "sub": "a", "aud": audience, "exp": 4e9, "iat": 1, "client_id": "c"}

        def statuses(*jtis: str) -> list[int]:
            tokens = (
                jwt.sign_claims({**usual, "scope": "orders:read", "jti": jti}, key, typ="at+jwt")
                for jti in jtis
            )
            answers = (
                httpx.get(f"{url}/orders", headers={"Authorization": f"Bearer {token}"}) for token in tokens
            )
            return [answer.status_code for answer in answers]

        with running:
            assert statuses("1") == [200]
            issuer.requests.clear()
            issuer.answers.clear()
            assert statuses("1", "2", "1", "3") == [200, 200, 200, 200]
            assert issuer.requests == []
