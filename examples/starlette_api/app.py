"""Orders: everyone sees and adds their own; strangers are greeted; an admin who has just signed in clears them all."""

from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mapae import TokenRejected, Verifier
from mapae.integrations.starlette import BearerBackend
from mapae.verifier import Needs


def orders_app(verifier: Verifier) -> Starlette:
    """The application."""
    backend = BearerBackend(verifier, realm="orders")
    items: list[tuple[str, str]] = []

    async def hello(request: Request) -> Response:
        name = request.user.identity if request.user.is_authenticated else "stranger"
        return PlainTextResponse(f"Hello, {name}.\n")

    async def read(request: Request) -> Response:
        token = backend.token(request, Needs(scopes=["orders:read"]))
        return JSONResponse({"orders": [item for owner, item in items if owner == token.subject]})

    @requires("orders:write")  # the way of Starlette: 403 and no challenge, also for strangers
    async def order(request: Request) -> Response:
        items.append((request.user.identity, request.query_params["item"]))
        return Response(status_code=201)

    async def clear(request: Request) -> Response:
        backend.token(request, Needs(scopes=["orders:write"], roles=["admin"], fresh_s=300))
        items.clear()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", hello),
            Route("/orders", read),
            Route("/orders", order, methods=["POST"]),
            Route("/orders", clear, methods=["DELETE"]),
        ],
        middleware=[Middleware(AuthenticationMiddleware, backend=backend, on_error=backend.on_error)],
        exception_handlers={TokenRejected: backend.on_rejected},
    )
