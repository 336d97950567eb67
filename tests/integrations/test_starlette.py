"""Starlette's own authentication with bearer tokens."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthenticationError, requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mapae import TokenRejected
from mapae.integrations.starlette import BearerBackend
from mapae.testing import Issuer
from mapae.verifier import Needs

ISSUER = Issuer(audience="https://api.example.com")


def _bearer(**options: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(**options)}"}


async def _whoami(request: Request) -> JSONResponse:
    user = request.user
    return JSONResponse([user.is_authenticated, user.display_name, sorted(request.auth.scopes)])


@requires("orders:read")
async def _orders(request: Request) -> JSONResponse:
    return JSONResponse([request.user.identity, request.user.token.client_id])


@pytest.fixture
def client() -> TestClient:
    backend = BearerBackend(ISSUER.verifier(), realm="orders")
    middleware = [Middleware(AuthenticationMiddleware, backend=backend, on_error=backend.on_error)]
    return TestClient(
        Starlette(routes=[Route("/", _whoami), Route("/orders", _orders)], middleware=middleware)
    )


def test_a_token_is_a_user_with_scopes(client: TestClient) -> None:
    assert client.get("/", headers=_bearer(scopes=["b", "a"])).json() == [True, "alice", ["a", "b"]]


def test_without_a_token_it_is_nobody(client: TestClient) -> None:
    assert client.get("/").json() == [False, "", []]


def test_requires_asks_for_scopes(client: TestClient) -> None:
    assert client.get("/orders", headers=_bearer(scopes=["orders:read"])).json() == ["alice", "test-client"]
    assert client.get("/orders", headers=_bearer(scopes=["orders:write"])).status_code == 403
    assert client.get("/orders").status_code == 403


def test_a_token_that_is_rejected_is_answered_wherever_it_went(client: TestClient) -> None:
    answer = client.get("/", headers=_bearer(expired=True))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="orders", error="invalid_token"')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"error": "invalid_token", "error_description": "The access token has expired."}


def test_a_hostile_host_header_does_not_matter(client: TestClient) -> None:
    assert client.get("/", headers={**_bearer(), "Host": "["}).status_code == 200


def test_the_error_of_another_backend_is_not_ours_to_answer() -> None:
    error = AuthenticationError("something else")

    with pytest.raises(AuthenticationError, match="something else"):
        BearerBackend(ISSUER.verifier()).on_error(HTTPConnection({"type": "http"}), error)


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ({"roles": ["admin"]}, 200, None),
        ({}, 403, "insufficient_scope"),
        ({"roles": ["admin"], "claims": {"auth_time": 1}}, 401, "insufficient_user_authentication"),
        (None, 401, "missing"),
    ],
)
def test_a_view_may_need_more_of_the_token(
    options: dict[str, Any] | None, status: int, error: str | None
) -> None:
    backend = BearerBackend(ISSUER.verifier(), realm="orders")

    async def delete(request: Request) -> JSONResponse:
        token = backend.token(request, Needs(roles=["admin"], fresh_s=60))
        return JSONResponse({"subject": token.subject})

    app = Starlette(
        routes=[Route("/", delete)],
        middleware=[Middleware(AuthenticationMiddleware, backend=backend, on_error=backend.on_error)],
        exception_handlers={TokenRejected: backend.on_rejected},
    )
    answer = TestClient(app).get("/", headers={} if options is None else _bearer(**options))

    assert (answer.status_code, answer.json().get("error")) == (status, error)
    assert ("www-authenticate" in answer.headers) == (status != 200)
