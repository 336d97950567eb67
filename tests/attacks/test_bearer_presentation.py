"""Presenting a token in ways that are not allowed: RFC 6750 sections 2 and 3.1, RFC 9700 section 4.3.2."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from examples.orders_api.app import orders_app
from mapae.testing import Issuer

ISSUER = Issuer(audience="https://api.example.com")


@pytest.fixture
def api() -> TestClient:
    return TestClient(orders_app(ISSUER.verifier()), raise_server_exceptions=True)


def _token(**options: Any) -> str:
    return ISSUER.token(**{"scopes": ["orders:read"], **options})


def test_a_token_in_the_query_is_not_accepted(api: TestClient) -> None:
    answer = api.get("/orders", params={"access_token": _token()})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


def test_a_token_in_the_body_is_not_accepted(api: TestClient) -> None:
    answer = api.post("/orders", data={"access_token": _token(scopes=["orders:write"])})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


def test_a_token_in_a_cookie_is_not_accepted(api: TestClient) -> None:
    assert api.get("/orders", headers={"Cookie": f"access_token={_token()}"}).status_code == 401


def test_header_and_query_at_once_are_an_invalid_request(api: TestClient) -> None:
    token = _token()
    answer = api.get("/orders", params={"access_token": token}, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_two_authorization_headers_are_an_invalid_request(api: TestClient) -> None:
    headers = [("Authorization", f"Bearer {_token()}"), ("Authorization", f"Bearer {_token(subject='bob')}")]

    answer = api.get("/orders", headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "template",
    [
        "Bearer {0},{0}",
        "Bearer {0}, Bearer {0}",
        "Bearer {0} {0}",
        "Bearer\t{0}",
        'Bearer "{0}"',
        "Bearer token={0}",
        "Bearer {0};x=1",
        "Bearer {0}=",
        "Token {0}",
        "JWT {0}",
        "Bearer: {0}",
        "{0}",
    ],
)
def test_a_header_that_is_nearly_right_is_refused(api: TestClient, template: str) -> None:
    answer = api.get("/orders", headers={"Authorization": template.format(_token())})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="api"')


@pytest.mark.parametrize("scheme", ["Basic", "DPoP", "Digest", "Negotiate"])
def test_another_scheme_is_told_what_is_needed_and_no_error(api: TestClient, scheme: str) -> None:
    answer = api.get("/orders", headers={"Authorization": f"{scheme} {_token()}"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer \xff\xfe",
        b"Bearer \xc3\xa9",
        b"Bearer " + b"a" * 60_000,
        b"Bearer " + b"." * 8000,
        b"Bearer ..",
        b"\xff",
    ],
    ids=["latin-1", "utf-8", "60 kB", "dots", "empty parts", "no scheme"],
)
def test_garbage_is_refused_without_an_error_of_ours(api: TestClient, value: bytes) -> None:
    answer = api.get("/orders", headers=[(b"authorization", value)])

    assert answer.status_code == 401


def test_what_the_attacker_sent_is_not_in_the_answer(api: TestClient) -> None:
    answer = api.get("/orders", headers={"Authorization": 'Bearer <script>alert("x")</script>'})

    assert answer.status_code == 401
    assert "alert" not in answer.text + str(answer.headers)


def test_a_valid_token_without_the_scope_is_forbidden_and_told_the_scope(api: TestClient) -> None:
    answer = api.post("/orders", headers={"Authorization": f"Bearer {_token()}"}, json={"item": "tea"})

    assert answer.status_code == 403
    assert 'scope="orders:write", error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_a_subject_cannot_read_the_orders_of_another(api: TestClient) -> None:
    alice = {"Authorization": f"Bearer {_token(subject='alice', scopes=['orders:read', 'orders:write'])}"}
    api.post("/orders", headers=alice, json={"item": "tea"})

    answer = api.get("/orders", headers={"Authorization": f"Bearer {_token(subject='Alice')}"})

    assert answer.json() == {"orders": []}
