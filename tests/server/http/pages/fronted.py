"""Pages and a few routes behind the front door, without a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute

from mapae.entropy import system_entropy
from mapae.server.adapters.metrics import Metrics
from mapae.server.http.dispatch import Dispatch
from mapae.server.http.front import Front
from mapae.server.http.pages.rendering import Pages


def fronted(pages: Pages, *routes: BaseRoute) -> Front:
    """The application."""
    dispatch = Dispatch(_nothing_to_open)
    dispatch.answer([*pages.routes(), *routes])
    return Front(dispatch, pages=pages, https=False, entropy=system_entropy, metrics=Metrics())


@asynccontextmanager
async def _nothing_to_open(_: object) -> AsyncIterator[None]:
    yield
