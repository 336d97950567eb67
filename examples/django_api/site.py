"""The site: its settings, its views, and the ASGI application that serves them."""

import json

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_http_methods

from mapae import Verifier
from mapae.integrations.django import BearerRequest, OptionalBearerRequest, require_token

_items: list[tuple[str, str]] = []


def orders_site(verifier: Verifier) -> ASGIHandler:
    """The application. A project keeps these settings in its settings.py, and the URLs in its urls.py."""
    settings.configure(
        SECRET_KEY="signs nothing here",
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["mapae.integrations.django.BearerMiddleware"],
        MAPAE_VERIFIER=verifier,
        MAPAE_REALM="orders",
        ROOT_URLCONF=(path("", hello), path("orders", orders)),
    )
    django.setup()
    return get_asgi_application()


def hello(request: OptionalBearerRequest) -> HttpResponse:
    """For everyone."""
    return HttpResponse(f"Hello, {request.token.subject if request.token else 'stranger'}.\n")


@require_http_methods(["GET", "POST"])
async def orders(request: HttpRequest) -> HttpResponse:
    """Orders of the bearer: GET lists them, POST adds one."""
    return await (list_orders(request) if request.method == "GET" else create_order(request))


@require_token("orders:read")
async def list_orders(request: BearerRequest) -> HttpResponse:
    """Everyone sees their own, the role `admin` sees all."""
    token = request.token
    return JsonResponse(
        {"orders": [item for owner, item in _items if owner == token.subject or "admin" in token.roles]}
    )


@require_token("orders:write")
async def create_order(request: BearerRequest) -> HttpResponse:
    """Note down an order."""
    try:
        item = json.loads(request.body)["item"]
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"error": 'The body has to be {"item": "..."}.'}, status=400)
    _items.append((request.token.subject, str(item)))
    return JsonResponse({"item": str(item)}, status=201)
