"""The WSGI middleware, driven as a server drives it and held to PEP 3333."""

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from mapae.integrations.wsgi import BearerMiddleware
from mapae.testing import Issuer
from mapae.verifier import Needs

ISSUER = Issuer(audience="https://api.example.com")


def _bearer(**options: Any) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {ISSUER.token(**options)}"}


def _whoami(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["mapae.token"].subject.encode()]


def _write(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    environ["mapae.token"].require("orders:write")
    return [b"written"]


def _get(app: WSGIApplication, environ: dict[str, str], **options: Any) -> tuple[str, dict[str, str], bytes]:
    answer: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        assert not answer or exc_info, "PEP 3333: begun twice"
        answer[:] = [status, {name.lower(): value for name, value in headers}]

    usual: dict[str, Any] = {"QUERY_STRING": "", **environ}
    setup_testing_defaults(usual)
    checked = validator(BearerMiddleware(validator(app), ISSUER.verifier(), **options))
    body = checked(usual, start_response)
    try:
        return (*answer, b"".join(body))
    finally:
        body.close()  # type: ignore[attr-defined]


def test_the_application_sees_the_token() -> None:
    status, _, body = _get(_whoami, _bearer(subject="alice"))

    assert (status, body) == ("200 OK", b"alice")


def test_no_token_is_401_with_a_challenge_that_names_no_error() -> None:
    status, headers, body = _get(_whoami, {}, realm="orders")

    assert status == "401 Unauthorized"
    assert headers["www-authenticate"] == 'Bearer realm="orders"'
    assert headers["content-length"] == str(len(body))
    assert json.loads(body)["error"] == "missing"


@pytest.mark.parametrize(
    ("environ", "status", "error"),
    [
        (_bearer(expired=True), "401 Unauthorized", "invalid_token"),
        ({"HTTP_AUTHORIZATION": "Bearer a,Bearer b"}, "401 Unauthorized", "invalid_token"),
        ({"HTTP_AUTHORIZATION": ""}, "401 Unauthorized", "missing"),
        ({"HTTP_AUTHORIZATION": "Bearer \xff"}, "401 Unauthorized", "invalid_token"),
        ({**_bearer(), "QUERY_STRING": "access_token=a"}, "400 Bad Request", "invalid_request"),
        ({"QUERY_STRING": f"access_token={ISSUER.token()}"}, "401 Unauthorized", "missing"),
    ],
)
def test_what_is_refused_says_why(environ: dict[str, str], status: str, error: str) -> None:
    answered, headers, body = _get(_whoami, environ)

    assert answered == status
    assert headers["cache-control"] == "no-store"
    assert json.loads(body)["error"] == error


def test_a_scope_that_every_request_needs() -> None:
    assert _get(_whoami, _bearer(scopes=["a"]), scopes=["a"])[0] == "200 OK"
    status, headers, _ = _get(_whoami, _bearer(), scopes=["a"])

    assert status == "403 Forbidden"
    assert 'scope="a", error="insufficient_scope"' in headers["www-authenticate"]


def test_a_scope_that_the_application_asks_for_after_it_began_to_answer() -> None:
    assert _get(_write, _bearer(scopes=["orders:write"]))[2] == b"written"
    status, _, body = _get(_write, _bearer())

    assert status == "403 Forbidden"
    assert json.loads(body)["error"] == "insufficient_scope"


def test_every_request_needs_what_the_middleware_needs() -> None:
    needs = Needs(any_scope=["orders:read", "orders:write"], roles=["admin"])

    enough, _, _ = _get(_whoami, _bearer(scopes=["orders:write"], roles=["admin"]), needs=needs)
    too_little, headers, _ = _get(_whoami, _bearer(roles=["admin"]), needs=needs)

    assert (enough, too_little) == ("200 OK", "403 Forbidden")
    assert 'scope="orders:read orders:write"' in headers["www-authenticate"]


def test_a_token_that_is_optional_may_be_missing_but_not_bad() -> None:
    def whoami(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        token = environ["mapae.token"]
        return [b"nobody" if token is None else token.subject.encode()]

    assert _get(whoami, {}, optional=True)[2] == b"nobody"
    assert _get(whoami, _bearer(subject="alice"), optional=True)[2] == b"alice"
    assert _get(whoami, _bearer(expired=True), optional=True)[0] == "401 Unauthorized"
