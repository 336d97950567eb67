"""`/health/*`: whether the process lives, and whether it can do its work."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mapae.server.http.answers import json_answer
from mapae.server.store.engine import Database, StoreUnavailable
from mapae.server.store.migrations import SchemaState, schema_state


def closed_routes() -> list[BaseRoute]:
    """What a process answers that has not reached its database yet: that it lives, and 503 to all else."""

    async def live(request: Request) -> Response:
        return _answer(200, {"status": "live"})

    async def closed(request: Request) -> Response:
        raise StoreUnavailable("not reached since this process started")

    return [
        Route("/health/live", live),
        Route("/{path:path}", closed, methods=["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]),
    ]


@dataclass(frozen=True, slots=True)
class Health:
    """For load balancers and supervisors. That a process answers at all says that its signing key is loaded."""

    database: Database

    def routes(self) -> list[Route]:
        """The two paths."""
        return [Route("/health/live", self.live), Route("/health/ready", self.ready)]

    async def live(self, request: Request) -> Response:
        """The process answers."""
        return _answer(200, {"status": "live"})

    async def ready(self, request: Request) -> Response:
        """The database answers too, and has this version's schema."""
        try:
            schema = await schema_state(self.database.reading_engine)
        except StoreUnavailable:
            return _answer(503, {"status": "not_ready", "database": "unavailable"})
        if schema is not SchemaState.CURRENT:
            return _answer(503, {"status": "not_ready", "schema": schema.value})
        return _answer(200, {"status": "ready"})


def _answer(status: int, members: dict[str, str]) -> Response:
    return json_answer(members, status=status)
