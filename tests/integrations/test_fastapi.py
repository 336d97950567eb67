"""The FastAPI dependency: scopes by `Security`, the OpenAPI document, WebSockets, refusals."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request, Security, WebSocket
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from mapae import AccessToken, TokenRejected
from mapae.integrations.fastapi import Bearer, Refused
from mapae.testing import Issuer
from mapae.verifier import Needs

ISSUER = Issuer(audience="https://api.example.com")
bearer = Bearer(ISSUER.verifier(), realm="orders", description="An access token of the issuer.")


dangerous = Bearer(ISSUER.verifier(), needs=Needs(roles=["admin"], fresh_s=60))
maybe = Bearer(ISSUER.verifier(), optional=True)


async def _customer(token: Annotated[AccessToken, Security(bearer, scopes=["profile"])]) -> str:
    return token.subject


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def me(token: Annotated[AccessToken, Depends(bearer)]) -> str:
        return token.subject

    @app.get("/orders")
    async def orders(token: Annotated[AccessToken, Security(bearer, scopes=["orders:read"])]) -> list[str]:
        return sorted(token.scopes)

    @app.get("/nested")
    async def nested(subject: Annotated[str, Security(_customer, scopes=["orders:read"])]) -> str:
        return subject

    @app.delete("/orders")
    async def delete(token: Annotated[AccessToken, Security(dangerous, scopes=["orders:write"])]) -> str:
        return token.subject

    @app.get("/shop")
    async def shop(token: Annotated[AccessToken | None, Security(maybe, scopes=["shop"])]) -> str:
        return "nobody" if token is None else token.subject

    @app.get("/late")
    async def late(token: Annotated[AccessToken, Depends(bearer)]) -> None:
        token.require("orders:write")

    app.add_exception_handler(TokenRejected, bearer.on_rejected)

    @app.websocket("/ws")
    async def socket(
        websocket: WebSocket, token: Annotated[AccessToken, Security(bearer, scopes=["orders:read"])]
    ) -> None:
        await websocket.accept()
        await websocket.send_text(token.subject)
        await websocket.close()

    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(_app())


def _bearer(**options: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(**options)}"}


def test_a_view_gets_the_token(client: TestClient) -> None:
    answer = client.get("/me", headers=_bearer(subject="alice"))

    assert (answer.status_code, answer.json()) == (200, "alice")


def test_no_token_is_401_with_a_challenge_that_names_no_error(client: TestClient) -> None:
    answer = client.get("/me")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["detail"]["error"] == "missing"


def test_a_bad_token_is_401_and_says_why(client: TestClient) -> None:
    answer = client.get("/me", headers=_bearer(expired=True))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert answer.json()["detail"] == {
        "error": "invalid_token",
        "error_description": "The access token has expired.",
    }


def test_a_view_needs_the_scopes_that_security_names(client: TestClient) -> None:
    enough = client.get("/orders", headers=_bearer(scopes=["orders:read", "profile"]))
    too_little = client.get("/orders", headers=_bearer(scopes=["profile"]))

    assert (enough.status_code, enough.json()) == (200, ["orders:read", "profile"])
    assert too_little.status_code == 403
    assert 'scope="orders:read", error="insufficient_scope"' in too_little.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("scopes", "status"), [(["orders:read", "profile"], 200), (["orders:read"], 403), (["profile"], 403)]
)
def test_scopes_add_up_along_dependencies(client: TestClient, scopes: list[str], status: int) -> None:
    assert client.get("/nested", headers=_bearer(scopes=scopes)).status_code == status


def test_a_websocket_is_let_in_with_a_token_and_denied_without(client: TestClient) -> None:
    with client.websocket_connect("/ws", headers=_bearer(scopes=["orders:read"])) as socket:
        assert socket.receive_text() == "alice"
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/ws", headers=_bearer()):
        pass

    assert denied.value.status_code == 403
    assert 'error="insufficient_scope"' in denied.value.headers["www-authenticate"]


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "\x7f", "a:b:c"])
def test_a_hostile_host_header_does_not_matter(client: TestClient, host: str) -> None:
    assert client.get("/me", headers={**_bearer(), "Host": host}).status_code == 200
    assert client.get("/me?access_token=a", headers={**_bearer(), "Host": host}).status_code == 400


def test_the_openapi_document_shows_scheme_and_scopes(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    assert document["components"]["securitySchemes"]["Bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the issuer.",
    }
    assert document["paths"]["/me"]["get"]["security"] == [{"Bearer": []}]
    assert document["paths"]["/orders"]["get"]["security"] == [{"Bearer": ["orders:read"]}]
    assert "parameters" not in document["paths"]["/me"]["get"]


def test_the_application_may_word_refusals_itself() -> None:
    app = _app()

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"code": error.rejected.code}, error.status_code, headers=error.headers)

    answer = TestClient(app).get("/me", headers=_bearer(expired=True))

    assert (answer.status_code, answer.json()) == (401, {"code": "expired"})
    assert "www-authenticate" in answer.headers


def test_a_test_can_put_another_token_in_its_place() -> None:
    app = _app()
    app.dependency_overrides[bearer] = lambda: ISSUER.verifier().verify(ISSUER.token(subject="bob"))

    assert TestClient(app).get("/me").json() == "bob"


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ({}, 200, None),
        ({"scopes": []}, 403, "insufficient_scope"),
        ({"roles": ["member"]}, 403, "insufficient_scope"),
        ({"claims": {"auth_time": 1}}, 401, "insufficient_user_authentication"),
    ],
)
def test_a_view_may_need_roles_and_a_fresh_sign_in(
    client: TestClient, options: dict[str, Any], status: int, error: str | None
) -> None:
    usual = {"scopes": ["orders:write"], "roles": ["admin"]}
    answer = client.delete("/orders", headers=_bearer(**{**usual, **options}))

    assert answer.status_code == status
    assert answer.json() == "alice" if error is None else answer.json()["detail"]["error"] == error


def test_a_token_that_is_optional_may_be_missing_but_not_bad(client: TestClient) -> None:
    assert client.get("/shop").json() == "nobody"
    assert client.get("/shop", headers=_bearer(scopes=["shop"])).json() == "alice"
    assert client.get("/shop", headers=_bearer()).status_code == 403
    assert client.get("/shop", headers=_bearer(expired=True)).status_code == 401


def test_a_view_may_ask_for_more_while_it_runs(client: TestClient) -> None:
    answer = client.get("/late", headers=_bearer())

    assert (answer.status_code, answer.json()["detail"]["error"]) == (403, "insufficient_scope")
    assert 'realm="orders", scope="orders:write"' in answer.headers["www-authenticate"]
