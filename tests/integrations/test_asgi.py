"""The ASGI middleware, driven as a server drives it."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from mapae import TokenRejected, Verifier
from mapae.integrations.asgi import BearerMiddleware, Message, Receive, Scope, Send
from mapae.testing import FixedClock, Issuer
from mapae.verifier import Needs

ISSUER = Issuer(audience="https://api.example.com")


def _bearer(**options: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(**options)}"}


async def _whoami(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.state.token.subject)


async def _write(request: Request) -> PlainTextResponse:
    request.state.token.require("orders:write")
    return PlainTextResponse("written")


async def _too_late(request: Request) -> StreamingResponse:
    async def body() -> Any:
        yield b"begun"
        request.state.token.require("orders:write")

    return StreamingResponse(body())


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.state.token.subject)
    await websocket.close()


def _client(**options: Any) -> TestClient:
    routes = [
        Route("/", _whoami),
        Route("/write", _write),
        Route("/late", _too_late),
        WebSocketRoute("/ws", _socket),
        WebSocketRoute("/more", _reluctant_socket),
    ]
    middleware = [Middleware(BearerMiddleware, ISSUER.verifier(), **options)]
    return TestClient(Starlette(routes=routes, middleware=middleware))


def test_the_application_sees_the_token() -> None:
    answer = _client().get("/", headers=_bearer(subject="alice"))

    assert (answer.status_code, answer.text) == (200, "alice")


def test_two_requests_do_not_share_a_token() -> None:
    client = _client()

    assert client.get("/", headers=_bearer(subject="alice")).text == "alice"
    assert client.get("/", headers=_bearer(subject="bob")).text == "bob"


def test_no_token_is_401_with_a_challenge_that_names_no_error() -> None:
    answer = _client(realm="orders").get("/")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"error": "missing", "error_description": "This call needs an access token."}


def test_a_bad_token_is_401_and_says_why() -> None:
    answer = _client(resource_metadata="https://api.example.com/metadata").get(
        "/", headers=_bearer(expired=True)
    )

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="api", error="invalid_token", error_description="The access token has expired.", '
        'resource_metadata="https://api.example.com/metadata"'
    )
    assert answer.json() == {"error": "invalid_token", "error_description": "The access token has expired."}


def test_a_scope_that_every_request_needs() -> None:
    client = _client(scopes=["orders:read"])

    assert client.get("/", headers=_bearer(scopes=["orders:read"])).status_code == 200
    answer = client.get("/", headers=_bearer(scopes=["orders:write"]))
    assert answer.status_code == 403
    assert 'scope="orders:read", error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_a_scope_that_one_view_needs() -> None:
    client = _client()

    assert client.get("/write", headers=_bearer(scopes=["orders:write"])).text == "written"
    answer = client.get("/write", headers=_bearer())
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"


def test_once_the_answer_has_begun_a_rejection_is_an_error_of_the_application() -> None:
    with pytest.raises(TokenRejected, match="insufficient_scope"):
        _client().get("/late", headers=_bearer())


def test_a_websocket_is_let_in_with_a_token() -> None:
    with _client().websocket_connect("/ws", headers=_bearer(subject="alice")) as socket:
        assert socket.receive_text() == "alice"


def test_a_websocket_without_one_is_answered_as_http() -> None:
    with pytest.raises(WebSocketDenialResponse) as denied, _client().websocket_connect("/ws"):
        pass

    assert denied.value.status_code == 401
    assert denied.value.headers["www-authenticate"] == 'Bearer realm="api"'
    assert denied.value.json()["error"] == "missing"


async def _reluctant_socket(websocket: WebSocket) -> None:
    websocket.state.token.require("orders:write")


def test_a_websocket_that_needs_more_is_answered_before_it_is_accepted() -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        _client().websocket_connect("/more", headers=_bearer()),
    ):
        pass

    assert denied.value.status_code == 403


async def _drive(scope: Scope, app: Any) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await BearerMiddleware(app, ISSUER.verifier())(scope, receive, send)
    return sent


async def _unreachable(scope: Scope, receive: Receive, send: Send) -> None:
    pytest.fail("the application was reached")


async def test_a_server_that_cannot_answer_a_websocket_closes_it() -> None:
    sent = await _drive({"type": "websocket"}, _unreachable)

    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_the_state_of_the_server_is_passed_on() -> None:
    headers = [(b"authorization", f"Bearer {ISSUER.token()}".encode())]
    seen: dict[str, Any] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope["state"])

    await _drive({"type": "http", "headers": headers, "state": {"pool": "shared"}}, app)

    assert seen["pool"] == "shared"
    assert seen["token"].subject == "alice"


async def test_lifespan_passes_through() -> None:
    scope: Scope = {"type": "lifespan"}
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    await _drive(scope, app)

    assert seen == [scope]


def test_an_issuer_that_is_away_is_503() -> None:
    away = BearerMiddleware(_unreachable, ISSUER.verifier(issuer="http://127.0.0.1:9", keys=None))

    answer = TestClient(away).get("/", headers=_bearer())

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


def test_a_closed_websocket_is_not_mistaken_for_an_answer() -> None:
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        _client().websocket_connect("/ws", headers=_bearer(alg="none")),
    ):
        pass


def test_every_request_needs_what_the_middleware_needs() -> None:
    client = _client(scopes=["orders:read"], needs=Needs(roles=["admin"], fresh_s=60))
    stale = {"claims": {"auth_time": 1}}

    enough = client.get("/", headers=_bearer(scopes=["orders:read"], roles=["admin"]))
    no_role = client.get("/", headers=_bearer(scopes=["orders:read"]))
    too_long_ago = client.get("/", headers=_bearer(scopes=["orders:read"], roles=["admin"], **stale))

    assert [answer.status_code for answer in (enough, no_role, too_long_ago)] == [200, 403, 401]
    assert too_long_ago.json()["error"] == "insufficient_user_authentication"
    assert 'max_age="60"' in too_long_ago.headers["www-authenticate"]


def test_a_token_that_is_optional_may_be_missing_but_not_bad() -> None:
    async def whoami(request: Request) -> PlainTextResponse:
        token = request.state.token
        return PlainTextResponse("nobody" if token is None else token.subject)

    middleware = [Middleware(BearerMiddleware, ISSUER.verifier(), optional=True)]
    client = TestClient(Starlette(routes=[Route("/", whoami)], middleware=middleware))

    assert client.get("/").text == "nobody"
    assert client.get("/", headers={"Authorization": "Basic YTpi"}).text == "nobody"
    assert client.get("/", headers=_bearer(subject="alice")).text == "alice"
    assert client.get("/", headers=_bearer(expired=True)).status_code == 401
    assert client.get("/", headers={"Authorization": "Bearer"}).status_code == 401


def test_a_websocket_is_closed_when_its_token_ends_and_told_why() -> None:
    clock = FixedClock()
    issuer = Issuer(audience="https://api.example.com", clock=clock)
    verifier: Verifier = issuer.verifier()

    async def ticker(websocket: WebSocket) -> None:
        await websocket.accept()
        async with verifier.lasting(websocket.state.token, every_s=0):
            while True:
                await websocket.send_text("tick")
                await websocket.receive_text()

    middleware = [Middleware(BearerMiddleware, verifier)]
    client = TestClient(Starlette(routes=[WebSocketRoute("/ws", ticker)], middleware=middleware))
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with client.websocket_connect("/ws", headers=headers) as socket:
        assert socket.receive_text() == "tick"
        clock.advance(1000)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()

    assert (closed.value.code, closed.value.reason) == (3000, "expired")


def test_a_websocket_that_the_application_has_closed_stays_as_it_was_closed() -> None:
    async def hasty(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4000)
        websocket.state.token.require("orders:write")

    middleware = [Middleware(BearerMiddleware, ISSUER.verifier())]
    client = TestClient(Starlette(routes=[WebSocketRoute("/ws", hasty)], middleware=middleware))
    with (
        pytest.raises(TokenRejected, match="insufficient_scope"),
        client.websocket_connect("/ws", headers=_bearer()) as socket,
    ):
        assert socket.receive() == {"type": "websocket.close", "code": 4000, "reason": ""}
