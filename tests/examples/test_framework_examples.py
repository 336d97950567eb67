"""The examples of frameworks, each started as a program and called over a socket; and connections that end."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from examples.fastapi_api.app import orders_app
from mapae.testing import FixedClock, Issuer, ServedIssuer, serve
from tests.journeys.processes import environment, free_port, started

EVERYTHING = ["orders:read", "orders:write"]


class Api:
    """An example that runs, and the issuer whose tokens it believes."""

    def __init__(self, url: str, issuer: ServedIssuer) -> None:
        self.url = url
        self.issuer = issuer

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        token = self.issuer.token(**{"scopes": EVERYTHING, **options})
        return httpx.request(method, f"{self.url}{path}", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(params=["fastapi_api", "flask_api", "starlette_api", "wsgi_api"])
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    url = f"http://127.0.0.1:{free_port()}"
    with serve(audience=url) as issuer:
        command = [sys.executable, "-m", f"examples.{request.param}", "--port", url.rpartition(":")[2]]
        command += ["--issuer", issuer.issuer, "--audience", url]
        with started(command, environ=environment(), ready=f"{url}/orders", log=tmp_path / "log"):
            yield Api(url, issuer)


def test_it_serves_who_may_and_tells_the_others_why_not(api: Api) -> None:
    written = api.call("POST", "/orders?item=tea")
    own, others = api.call("GET", "/orders"), api.call("GET", "/orders", subject="bob")
    stranger = httpx.get(f"{api.url}/orders")
    too_little = api.call("GET", "/orders", scopes=["orders:write"])
    bad = api.call("GET", "/orders", expired=True)
    stale = api.call("DELETE", "/orders", roles=["admin"], claims={"auth_time": 1})
    member = api.call("DELETE", "/orders", roles=["member"])
    cleared = api.call("DELETE", "/orders", roles=["admin"])

    assert (written.status_code, own.json(), others.json()) == (201, {"orders": ["tea"]}, {"orders": []})
    assert [answer.status_code for answer in (stranger, too_little, bad)] == [401, 403, 401]
    assert [answer.status_code for answer in (stale, member, cleared)] == [401, 403, 204]
    assert stranger.headers["www-authenticate"] == 'Bearer realm="orders"'
    assert 'scope="orders:read", error="insufficient_scope"' in too_little.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in stale.headers["www-authenticate"]
    assert 'max_age="300"' in stale.headers["www-authenticate"]
    assert api.call("GET", "/orders").json() == {"orders": []}


class StepClock(FixedClock):
    """A clock that moves whenever somebody looks."""

    step = 0.0

    def __call__(self) -> float:
        self.advance(self.step)
        return self.now


class Moment:
    """The FastAPI example, a moment before the end of a token."""

    def __init__(self, *, step: float = 0.0) -> None:
        self.clock = StepClock()
        issuer = Issuer(audience="https://api.example.com", clock=self.clock)
        self.client = TestClient(orders_app(issuer.verifier(leeway_s=0)))
        token = issuer.token(scopes=EVERYTHING, claims={"exp": self.clock.now + 0.2})
        self.headers = {"Authorization": f"Bearer {token}"}
        self.clock.step = step


def test_a_websocket_is_told_of_orders_until_its_token_ends() -> None:
    moment = Moment()
    with moment.client as client, client.websocket_connect("/orders/live", headers=moment.headers) as socket:
        client.post("/orders?item=tea", headers=moment.headers)
        assert socket.receive_json() == ["tea"]
        moment.clock.advance(1)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()

    assert (closed.value.code, closed.value.reason) == (3000, "expired")


def test_a_stream_of_events_says_that_its_token_has_ended() -> None:
    moment = Moment(step=0.01)
    with moment.client as client:
        client.post("/orders?item=tea", headers=moment.headers)
        answer = client.get("/orders/events", headers=moment.headers)

    assert answer.text == "data: tea\n\nevent: token_ended\ndata: expired\n\n"
