"""Django REST framework: authentication, permissions and their challenges, the exception handler."""

from tests.integrations.django_site import ISSUER, bearer

# isort: split
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from django.urls import path
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import (
    DjangoModelPermissions,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from mapae import AccessToken
from mapae.integrations.drf import BearerAuthentication, HasScopes, exception_handler, token_of
from mapae.verifier import Needs


class Api(APIView):
    authentication_classes: Sequence[type[BaseAuthentication]] = (BearerAuthentication,)

    def get(self, request: Request) -> Response:
        owner = request.auth.subject if isinstance(request.auth, AccessToken) else None
        return Response({"owner": owner, "user": str(request.user)})


class Orders(Api):
    permission_classes = (HasScopes.of("orders:read"),)


class CanWrite(HasScopes):
    scopes = ("orders:write",)


class Writing(Api):
    permission_classes = (CanWrite,)


class Clearing(Api):
    permission_classes = (HasScopes.of("orders:write", needs=Needs(roles=["admin"], fresh_s=60)),)


class AnyToken(Api):
    permission_classes = (HasScopes,)


class SignedIn(Api):
    permission_classes = (IsAuthenticated,)


class ReadOnly(Api):
    permission_classes = (IsAuthenticatedOrReadOnly,)

    def post(self, request: Request) -> Response:
        return Response({"user": request.user.pk}, status=201)


class AdminOrScope(Api):
    permission_classes = (IsAdminUser | HasScopes.of("orders:read"),)


class ByModel(Api):
    permission_classes = (DjangoModelPermissions,)
    queryset = get_user_model().objects.all()


class Strict(Api):
    def get(self, request: Request) -> Response:
        token_of(request).require("orders:write")
        return Response("written")

    def get_exception_handler(self) -> Any:
        return exception_handler


class Second(Api):
    authentication_classes = (BasicAuthentication, BearerAuthentication)
    permission_classes = (HasScopes.of("orders:read"),)


class OncePerUser(UserRateThrottle):
    rate = "1/day"


class Throttled(Api):
    throttle_classes = (OncePerUser,)


class ByRow(BearerAuthentication):
    def user(self, token: AccessToken) -> Any:
        return SimpleNamespace(pk=f"row of {token.subject}", is_authenticated=True)


class WithRow(Api):
    authentication_classes = (ByRow,)

    def get(self, request: Request) -> Response:
        return Response(request.user.pk)


@api_view(["GET"])
@authentication_classes([BearerAuthentication])
@permission_classes([HasScopes.of("orders:read")])
def function(request: Request) -> Response:
    return Response({"owner": token_of(request).subject})


URLS = (
    path("orders", Orders.as_view()),
    path("writing", Writing.as_view()),
    path("clearing", Clearing.as_view()),
    path("any", AnyToken.as_view()),
    path("signed-in", SignedIn.as_view()),
    path("read-only", ReadOnly.as_view()),
    path("admin-or-scope", AdminOrScope.as_view()),
    path("by-model", ByModel.as_view()),
    path("strict", Strict.as_view()),
    path("second", Second.as_view()),
    path("throttled", Throttled.as_view()),
    path("with-row", WithRow.as_view()),
    path("function", function),
)


@pytest.fixture
def client() -> Iterator[APIClient]:
    """The framework's client, of a site whose only protection is the authentication of its views."""
    with override_settings(ROOT_URLCONF=URLS, MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]):
        yield APIClient(enforce_csrf_checks=True)


@pytest.mark.parametrize(
    "url", ["/orders", "/function", "/any", "/signed-in", "/read-only", "/admin-or-scope"]
)
def test_a_view_gets_the_token(client: APIClient, url: str) -> None:
    answer = client.get(url, headers=bearer(subject="alice", scopes=["orders:read"]))

    assert answer.status_code == 200
    assert answer.json()["owner"] == "alice"


@pytest.mark.parametrize("url", ["/orders", "/writing", "/any", "/function", "/second"])
def test_no_token_is_401_with_a_challenge_that_names_no_error(client: APIClient, url: str) -> None:
    answer = client.get(url)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'
    assert answer.json() == {"error": "missing", "error_description": "This call needs an access token."}


def test_a_permission_of_the_framework_gets_our_challenge(client: APIClient) -> None:
    answer = client.get("/signed-in")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'


@pytest.mark.parametrize("url", ["/orders", "/writing", "/signed-in", "/read-only", "/second"])
@pytest.mark.parametrize("wrong", [{"expired": True}, {"tampered": True}, {"alg": "none"}])
def test_a_bad_token_is_401_and_says_why(client: APIClient, url: str, wrong: dict[str, Any]) -> None:
    answer = client.get(url, headers=bearer(scopes=["orders:read"], **wrong))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert answer.json()["error"] == "invalid_token"


@pytest.mark.parametrize("url", ["/orders", "/function", "/second", "/admin-or-scope"])
def test_a_scope_that_is_missing_is_403(client: APIClient, url: str) -> None:
    answer = client.get(url, headers=bearer(scopes=["orders:write"]))

    assert answer.status_code == 403
    assert 'scope="orders:read", error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert answer.json()["error"] == "insufficient_scope"


def test_a_permission_class_may_name_its_scopes(client: APIClient) -> None:
    assert client.get("/writing", headers=bearer(scopes=["orders:write"])).status_code == 200
    assert client.get("/writing", headers=bearer(scopes=["orders:read"])).status_code == 403


def test_strangers_may_read_where_the_view_lets_them(client: APIClient) -> None:
    read = client.get("/read-only")
    written = client.post("/read-only", headers=bearer(subject="alice"))

    assert (read.status_code, read.json()["owner"]) == (200, None)
    assert (written.status_code, written.json()) == (201, {"user": "alice"})
    assert client.post("/read-only").status_code == 401


def test_two_ways_to_present_a_token_are_400(client: APIClient) -> None:
    answer = client.get("/orders", {"access_token": "a"}, headers=bearer(scopes=["orders:read"]))

    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_an_issuer_that_is_away_is_503(client: APIClient) -> None:
    with override_settings(MAPAE_VERIFIER=ISSUER.verifier(issuer="http://127.0.0.1:9", keys=None)):
        answer = client.get("/orders", headers=bearer(scopes=["orders:read"]))

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'


def test_the_exception_handler_answers_a_rejection_by_the_view(client: APIClient) -> None:
    enough = client.get("/strict", headers=bearer(scopes=["orders:write"]))
    too_little = client.get("/strict", headers=bearer())

    assert (enough.status_code, enough.json()) == (200, "written")
    assert too_little.status_code == 403
    assert 'scope="orders:write"' in too_little.headers["www-authenticate"]
    assert too_little.json()["error"] == "insufficient_scope"


def test_throttles_count_by_subject(client: APIClient) -> None:
    def status(subject: str) -> int:
        return client.get("/throttled", headers=bearer(subject=subject)).status_code

    assert [status("anna"), status("anna"), status("bert")] == [200, 429, 200]


def test_the_user_may_be_a_row(client: APIClient) -> None:
    assert client.get("/with-row", headers=bearer(subject="alice")).json() == "row of alice"


def test_the_user_is_named_by_the_subject(client: APIClient) -> None:
    assert client.get("/any", headers=bearer(subject="alice")).json()["user"] == "alice"


def test_the_user_of_a_token_has_none_of_the_permissions_of_rows(client: APIClient) -> None:
    headers = bearer(scopes=["orders:write"], roles=["admin"])

    assert client.get("/admin-or-scope", headers=headers).status_code == 403
    assert client.post("/by-model", headers=headers).status_code == 403


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
    client: APIClient, options: dict[str, Any], status: int, error: str | None
) -> None:
    enough = {"scopes": ["orders:write"], "roles": ["admin"]}
    answer = client.get("/clearing", headers=bearer(**{**enough, **options}))

    assert answer.status_code == status
    assert error is None or f'error="{error}"' in answer.headers["WWW-Authenticate"]
