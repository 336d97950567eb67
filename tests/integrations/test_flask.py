"""The guard of Flask views."""

import inspect
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mapae.integrations.flask import Guard
from mapae.testing import Issuer
from mapae.verifier import Needs

ISSUER = Issuer(audience="https://api.example.com")


@pytest.fixture
def client() -> FlaskClient:
    app, guard = Flask(__name__), Guard(ISSUER.verifier(), realm="orders")

    @app.get("/me")
    @guard.require()
    def me() -> str:
        """Who is calling."""
        return guard.token.subject

    @app.get("/orders/<number>")
    @guard.require("orders:read")
    def order(number: str) -> str:
        return number

    @app.get("/write")
    @guard.require()
    def write() -> str:
        guard.token.require("orders:write")
        return "written"

    @app.get("/async")
    @guard.require()
    async def asynchronous() -> str:
        return guard.token.subject

    @app.get("/dangerous")
    @guard.require("orders:write", needs=Needs(roles=["admin"], fresh_s=60))
    def dangerous() -> str:
        return "done"

    @app.get("/shop")
    @guard.optional
    def shop() -> str:
        return "nobody" if guard.presented is None else guard.presented.subject

    @app.get("/basket")
    @guard.optional
    def basket() -> str:
        return guard.token.subject

    @app.get("/open")
    def open_to_all() -> str:
        return "open"

    assert (me.__name__, inspect.getdoc(me)) == ("me", "Who is calling.")
    return app.test_client()


def _bearer(**options: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(**options)}"}


def test_a_view_sees_the_token(client: FlaskClient) -> None:
    assert client.get("/me", headers=_bearer(subject="alice")).text == "alice"
    assert client.get("/me", headers=_bearer(subject="bob")).text == "bob"


def test_an_asynchronous_view_sees_the_token(client: FlaskClient) -> None:
    assert client.get("/async", headers=_bearer(subject="alice")).text == "alice"


def test_views_without_a_guard_are_open(client: FlaskClient) -> None:
    assert client.get("/open").text == "open"


def test_no_token_is_401_with_a_challenge_that_names_no_error(client: FlaskClient) -> None:
    answer = client.get("/me")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="orders"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {"error": "missing", "error_description": "This call needs an access token."}


def test_a_bad_token_is_401_and_says_why(client: FlaskClient) -> None:
    answer = client.get("/me", headers=_bearer(expired=True))

    assert answer.status_code == 401
    assert answer.mimetype == "application/json"
    assert answer.json == {"error": "invalid_token", "error_description": "The access token has expired."}


def test_a_token_in_header_and_query_is_an_invalid_request(client: FlaskClient) -> None:
    answer = client.get("/me?access_token=a", headers=_bearer())

    assert (answer.status_code, answer.json["error"] if answer.json else None) == (400, "invalid_request")


def test_a_view_needs_its_scopes_and_keeps_its_arguments(client: FlaskClient) -> None:
    assert client.get("/orders/7", headers=_bearer(scopes=["orders:read"])).text == "7"
    answer = client.get("/orders/7", headers=_bearer())

    assert answer.status_code == 403
    assert 'scope="orders:read", error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_a_view_may_ask_for_more_while_it_runs(client: FlaskClient) -> None:
    assert client.get("/write", headers=_bearer(scopes=["orders:write"])).text == "written"
    assert client.get("/write", headers=_bearer()).status_code == 403


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
    client: FlaskClient, options: dict[str, Any], status: int, error: str | None
) -> None:
    usual = {"scopes": ["orders:write"], "roles": ["admin"]}
    answer = client.get("/dangerous", headers=_bearer(**{**usual, **options}))

    assert (answer.status_code, answer.json["error"] if answer.json else None) == (status, error)


def test_a_token_that_is_optional_may_be_missing_but_not_bad(client: FlaskClient) -> None:
    assert client.get("/shop").text == "nobody"
    assert client.get("/shop", headers=_bearer(subject="alice")).text == "alice"
    assert client.get("/shop", headers=_bearer(expired=True)).status_code == 401


def test_a_view_may_find_that_it_needs_a_token_after_all(client: FlaskClient) -> None:
    assert client.get("/basket", headers=_bearer(subject="alice")).text == "alice"
    assert client.get("/basket").status_code == 401
