"""Bearer tokens for Django: a middleware that reads them, and a decorator for views that need one.

MAPAE_VERIFIER = Verifier(issuer="https://auth.example.com", audience="https://api.example.com")
MIDDLEWARE = [..., "mapae.integrations.django.BearerMiddleware"]

@require_token("orders:read")
def orders(request: BearerRequest) -> JsonResponse: ...
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from mapae.integrations.gate import Gate
from mapae.verifier import (
    NOTHING,
    AccessToken,
    Needs,
    RejectionCode,
    TokenRejected,
    Verifier,
    Verifiers,
)

_Response = HttpResponseBase | Awaitable[HttpResponseBase]
P = ParamSpec("P")
R = TypeVar("R", bound=_Response)


class BearerRequest(HttpRequest):
    """The request as a view behind `require_token` gets it; for annotations."""

    token: AccessToken


class OptionalBearerRequest(HttpRequest):
    """The request as any other view gets it; for annotations. `token` is None when none was presented."""

    token: AccessToken | None


class BearerMiddleware:
    """Puts the access token of each request into `request.token`; None when the request brings none.

    It answers a request whose token is not valid, whatever the view, and a TokenRejected that leaves a view, as
    from `request.token.require("orders:write")`. Works under WSGI and ASGI.

    Settings: MAPAE_VERIFIER, a `Verifier` or `Verifiers`; for the challenge MAPAE_REALM, which names what is
    protected ("api"), and MAPAE_RESOURCE_METADATA, where the metadata of this resource is, a URL (RFC 9728).
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """
        Raises:
            ImproperlyConfigured: MAPAE_VERIFIER is not set.
        """
        gate_of_settings()
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: OptionalBearerRequest) -> _Response:
        if self._is_async:
            return self._acall(request)
        try:
            request.token = gate_of_settings().check(*presented(request))
        except TokenRejected as rejected:
            return _response(rejected)
        return _varied(self._get_response(request))

    async def _acall(self, request: OptionalBearerRequest) -> HttpResponseBase:
        try:
            request.token = await gate_of_settings().acheck(*presented(request))
        except TokenRejected as rejected:
            return _response(rejected)
        return _varied(await self._get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to a TokenRejected."""
        return _response(exception) if isinstance(exception, TokenRejected) else None


def require_token(
    *scopes: str, needs: Needs = NOTHING
) -> Callable[[Callable[Concatenate[BearerRequest, P], R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Views, sync or async, that need an access token with all of `scopes` and good for `needs`.

    `BearerMiddleware` answers for them.
    They are exempt from CSRF checks: no browser sends the token by itself.
    """

    needed = needs.with_scopes(scopes)

    def decorator(
        view: Callable[Concatenate[BearerRequest, P], R],
    ) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return view(_with_token(request, needed), *args, **kwargs)

        if iscoroutinefunction(view):
            markcoroutinefunction(checked)
        return csrf_exempt(checked)

    return decorator


def gate_of_settings() -> Gate:
    """Who is let through at this site: requests without a token too, for views to decide about.

    Raises:
        ImproperlyConfigured: MAPAE_VERIFIER is not set.
    """
    verifier = getattr(settings, "MAPAE_VERIFIER", None)
    if not isinstance(verifier, Verifier | Verifiers):
        raise ImproperlyConfigured("MAPAE_VERIFIER has to be a mapae.Verifier")
    return Gate(
        verifier,
        optional=True,
        realm=getattr(settings, "MAPAE_REALM", "api"),
        resource_metadata=getattr(settings, "MAPAE_RESOURCE_METADATA", None),
    )


def presented(request: HttpRequest) -> tuple[list[str], str]:
    """What `Gate.check` takes: the `Authorization` headers of a request, and its query string."""
    # Of several headers, servers make one with commas between, which is no b64token.
    header = request.META.get("HTTP_AUTHORIZATION")
    return [] if header is None else [header], request.META.get("QUERY_STRING", "")


def _with_token(request: HttpRequest, needs: Needs) -> BearerRequest:
    if not hasattr(request, "token"):
        raise ImproperlyConfigured("require_token needs mapae.integrations.django.BearerMiddleware")
    token = cast("OptionalBearerRequest", request).token
    if token is None:
        raise TokenRejected(RejectionCode.MISSING, "a view that needs a token")
    gate_of_settings().verifier.recheck(token, needs)
    return cast("BearerRequest", request)


def _response(rejected: TokenRejected) -> HttpResponse:
    answer = gate_of_settings().refusal(rejected)
    return HttpResponse(
        answer.body, status=answer.status, headers=answer.headers, content_type="application/json"
    )


def _varied(response: HttpResponseBase) -> HttpResponseBase:
    # Django's cache thinks of Authorization by itself, but not for the answers to strangers.
    patch_vary_headers(response, ("Authorization",))
    return response
