"""Django: the middleware under WSGI and ASGI, the decorator on views of every kind, the cache, refusals."""

from tests.integrations.django_site import ISSUER, bearer

# isort: split
import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page

from mapae.integrations.django import BearerRequest, OptionalBearerRequest, require_token
from mapae.verifier import Needs

Ask = Callable[..., httpx.Response]


@require_token("orders:read")
def orders(request: BearerRequest) -> JsonResponse:
    return JsonResponse({"owner": request.token.subject})


@require_token("orders:read")
async def aorders(request: BearerRequest) -> JsonResponse:
    return JsonResponse({"owner": request.token.subject})


@method_decorator(require_token("orders:read"), name="dispatch")
class Orders(View):
    def get(self, request: BearerRequest) -> JsonResponse:
        return JsonResponse({"owner": request.token.subject})


@method_decorator(require_token("orders:read"), name="dispatch")
class AsyncOrders(View):
    async def get(self, request: BearerRequest) -> JsonResponse:
        return JsonResponse({"owner": request.token.subject})


@require_token()
def write(request: BearerRequest) -> HttpResponse:
    request.token.require("orders:write")
    return HttpResponse("written")


@require_token()
async def awrite(request: BearerRequest) -> HttpResponse:
    request.token.require("orders:write")
    return HttpResponse("written")


@require_token("orders:write", needs=Needs(roles=["admin"], fresh_s=60))
def clear(request: BearerRequest) -> HttpResponse:
    return HttpResponse("cleared")


def greet(request: OptionalBearerRequest) -> HttpResponse:
    return HttpResponse(request.token.subject if request.token else "stranger")


async def agreet(request: OptionalBearerRequest) -> HttpResponse:
    return HttpResponse(request.token.subject if request.token else "stranger")


def broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("ours")


def unprotected_form(request: HttpRequest) -> HttpResponse:
    return HttpResponse("posted")


URLS = (
    path("orders", orders),
    path("aorders", aorders),
    path("class", Orders.as_view()),
    path("aclass", AsyncOrders.as_view()),
    path("write", write),
    path("awrite", awrite),
    path("clear", clear),
    path("greet", greet),
    path("agreet", agreet),
    path("broken", broken),
    path("form", unprotected_form),
    path("cached", cache_page(60)(orders)),
)

WHOLE_SITE = [
    "django.middleware.cache.UpdateCacheMiddleware",
    "mapae.integrations.django.BearerMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
]

protected = pytest.mark.parametrize("url", ["/orders", "/aorders", "/class", "/aclass"])
writing = pytest.mark.parametrize("url", ["/write", "/awrite"])
greeting = pytest.mark.parametrize("url", ["/greet", "/agreet"])


@pytest.fixture(autouse=True)
def _urls() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=URLS):
        yield


def _over_wsgi(url: str, **options: Any) -> httpx.Response:
    with httpx.Client(
        transport=httpx.WSGITransport(get_wsgi_application()), base_url="https://api.example.com"
    ) as client:
        return client.get(url, **options)


def _over_asgi(url: str, **options: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(cast("Any", get_asgi_application()))
        async with httpx.AsyncClient(transport=transport, base_url="https://api.example.com") as client:
            return await client.get(url, **options)

    return asyncio.run(ask())


@pytest.fixture(params=[_over_wsgi, _over_asgi], ids=["wsgi", "asgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """GET from the site, as a WSGI and as an ASGI application."""
    over: Ask = request.param
    return over


@protected
def test_a_view_gets_the_token(ask: Ask, url: str) -> None:
    answer = ask(url, headers=bearer(subject="alice", scopes=["orders:read"]))

    assert (answer.status_code, answer.json()) == (200, {"owner": "alice"})


@protected
def test_no_token_is_401_with_a_challenge_that_names_no_error(ask: Ask, url: str) -> None:
    answer = ask(url)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == "missing"


@protected
def test_a_scope_that_is_missing_is_403(ask: Ask, url: str) -> None:
    answer = ask(url, headers=bearer(scopes=["orders:write"]))

    assert answer.status_code == 403
    assert 'scope="orders:read", error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert answer.json()["error"] == "insufficient_scope"


@pytest.mark.parametrize("url", ["/orders", "/aorders", "/greet", "/agreet", "/nowhere"])
@pytest.mark.parametrize("wrong", [{"expired": True}, {"tampered": True}, {"alg": "none"}])
def test_a_bad_token_is_401_whatever_the_view(ask: Ask, url: str, wrong: dict[str, Any]) -> None:
    answer = ask(url, headers=bearer(scopes=["orders:read"], **wrong))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert answer.json()["error"] == "invalid_token"


@writing
def test_a_rejection_by_the_view_is_answered(ask: Ask, url: str) -> None:
    enough = ask(url, headers=bearer(scopes=["orders:write"]))
    too_little = ask(url, headers=bearer(scopes=["orders:read"]))

    assert (enough.status_code, enough.text) == (200, "written")
    assert too_little.status_code == 403
    assert 'scope="orders:write"' in too_little.headers["www-authenticate"]


@greeting
def test_a_view_without_the_decorator_serves_strangers_too(ask: Ask, url: str) -> None:
    assert ask(url).text == "stranger"
    assert ask(url, headers={"Authorization": "Basic YTpi"}).text == "stranger"
    assert ask(url, headers=bearer(subject="alice")).text == "alice"


@pytest.mark.parametrize("url", ["/orders", "/aorders", "/greet", "/agreet"])
def test_every_answer_varies_by_the_token(ask: Ask, url: str) -> None:
    assert ask(url, headers=bearer(scopes=["orders:read"])).headers["vary"] == "Authorization"


@greeting
def test_the_cache_keeps_what_strangers_are_told_from_users(url: str) -> None:
    local = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": url}}
    with override_settings(MIDDLEWARE=WHOLE_SITE, CACHES=local):
        client = Client()
        answers = [client.get(url, headers=headers).text for headers in ({}, bearer(subject="alice"))]

    assert answers == ["stranger", "alice"]


@greeting
def test_a_token_in_the_query_is_none(ask: Ask, url: str) -> None:
    token = ISSUER.token()

    assert ask(url, params={"access_token": token}).text == "stranger"
    twice = ask(url, params={"access_token": token}, headers=bearer())
    assert twice.status_code == 400
    assert 'error="invalid_request"' in twice.headers["www-authenticate"]


def test_two_headers_joined_by_the_server_are_refused(ask: Ask) -> None:
    headers = {"Authorization": f"Bearer {ISSUER.token()}, Bearer {ISSUER.token()}"}

    assert ask("/greet", headers=headers).status_code == 401


def test_an_issuer_that_is_away_is_503(ask: Ask) -> None:
    with override_settings(MAPAE_VERIFIER=ISSUER.verifier(issuer="http://127.0.0.1:9", keys=None)):
        answer = ask("/orders", headers=bearer())

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"


def test_the_challenge_names_the_metadata_of_the_resource(ask: Ask) -> None:
    metadata = "https://api.example.com/.well-known/oauth-protected-resource"
    with override_settings(MAPAE_RESOURCE_METADATA=metadata):
        answer = ask("/orders")

    assert answer.headers["www-authenticate"] == f'Bearer realm="orders", resource_metadata="{metadata}"'


def test_other_exceptions_stay_what_they_are() -> None:
    with pytest.raises(LookupError):
        Client().get("/broken", headers=bearer())


def test_a_view_that_needs_a_token_needs_no_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post("/orders", headers=bearer(scopes=["orders:read"])).status_code == 200
    assert client.post("/class", headers=bearer(scopes=["orders:read"])).status_code == 405
    assert client.post("/form").status_code == 403


async def test_the_async_test_client_works_too() -> None:
    answer = await AsyncClient().get("/aorders", headers=bearer(scopes=["orders:read"]))

    assert answer.json() == {"owner": "alice"}


@pytest.mark.parametrize(
    ("url", "middleware"),
    [
        ("/cached", ["mapae.integrations.django.BearerMiddleware"]),
        ("/orders", WHOLE_SITE),
        ("/greet", WHOLE_SITE),
    ],
)
def test_the_cache_of_django_keeps_the_answers_of_two_users_apart(url: str, middleware: list[str]) -> None:
    local = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": url}}
    with override_settings(MIDDLEWARE=middleware, CACHES=local):
        client = Client()
        alice = client.get(url, headers=bearer(subject="alice", scopes=["orders:read"]))
        bob = client.get(url, headers=bearer(subject="bob", scopes=["orders:read"]))
        nobody = client.get(url)

    assert "alice" in alice.text
    assert "bob" in bob.text
    assert "alice" not in nobody.text


def test_a_decorator_without_the_middleware_is_a_mistake() -> None:
    with override_settings(MIDDLEWARE=[]), pytest.raises(ImproperlyConfigured, match="BearerMiddleware"):
        Client().get("/orders", headers=bearer(scopes=["orders:read"]))


@pytest.mark.parametrize("verifier", [None, "https://auth.example.com"])
def test_a_site_without_a_verifier_does_not_start(verifier: object) -> None:
    with (
        override_settings(MAPAE_VERIFIER=verifier),
        pytest.raises(ImproperlyConfigured, match="MAPAE_VERIFIER"),
    ):
        get_wsgi_application()


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
    ask: Ask, options: dict[str, Any], status: int, error: str | None
) -> None:
    answer = ask("/clear", headers=bearer(**{"scopes": ["orders:write"], "roles": ["admin"], **options}))

    assert answer.status_code == status
    assert error is None or f'error="{error}"' in answer.headers["WWW-Authenticate"]
