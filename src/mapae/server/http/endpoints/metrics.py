"""`/metrics`: for Prometheus on this machine, or for whoever asks where the settings say so."""

from dataclasses import dataclass
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.request_facts import client_address


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """`to_everyone` is the setting `MAPAE_METRICS`."""

    metrics: Metrics
    to_everyone: bool

    def routes(self) -> list[Route]:
        """The one path."""
        return [Route("/metrics", self.get_metrics)]

    async def get_metrics(self, request: Request) -> Response:
        """The numbers; to strangers there is no such page."""
        if not (self.to_everyone or _is_local(request)):
            raise Problem(ProblemCode.NOT_FOUND)
        return Response(
            self.metrics.text(),
            media_type="text/plain; version=0.0.4; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )


def _is_local(request: Request) -> bool:
    # A proxy on this machine speaks for others, and says so.
    if "forwarded" in request.headers or "x-forwarded-for" in request.headers:
        return False
    address = client_address(request, ())
    return address is not None and ip_address(address).is_loopback
