"""From an address to what answers it: a path that is written out in one look-up, the others one after the other."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send


class Dispatch:
    """The ASGI application behind the front door, with routes that may change while it runs.

    Starlette's router tries route after route. A request for a path without parameters is with its route, or 405, at
    once; the router has the rest.

    Args:
        lifespan: entered when the server starts, left when it stops.
    """

    def __init__(self, lifespan: Callable[[Any], AbstractAsyncContextManager[None]]) -> None:
        # A redirect would be to wherever the `Host` header says, body and credentials included.
        self._router = Router(lifespan=lifespan, redirect_slashes=False)
        self._written_out: dict[str, dict[str, Route]] = {}

    def answer(self, routes: Iterable[BaseRoute]) -> None:
        """Have these routes answer from now on: a written-out path before all others, else the first that fits."""
        self._router.routes[:] = routes
        self._written_out.clear()
        for route in self._router.routes:
            if isinstance(route, Route) and not route.param_convertors:
                by_method = self._written_out.setdefault(route.path, {})
                for method in route.methods or ():
                    by_method.setdefault(method, route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            HTTPException: 404 or 405. And whatever the endpoint raises.
        """
        scope["app"] = self
        by_method = self._written_out.get(scope["path"]) if scope["type"] == "http" else None
        if not by_method:
            await self._router(scope, receive, send)
            return
        route = by_method.get(scope["method"])
        if route is None:
            # The router would name the methods of the first route alone.
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(by_method))})
        scope.update(route=route, endpoint=route.endpoint, path_params={})
        await route.app(scope, receive, send)
