"""Which route answers which address."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from mapae.entropy import system_entropy
from mapae.server.adapters.metrics import Metrics
from mapae.server.http.dispatch import Dispatch
from mapae.server.http.front import Front
from mapae.server.http.pages.rendering import Pages
from tests.server.http.conftest import running


def told(words: str) -> BaseRoute:
    """A route for the path and the methods of `words`, which answers with them and with what was in the path."""
    path, *methods = words.split()

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(" ".join([words, *request.path_params.values()]))

    return Route(path, endpoint, methods=methods)


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def answering(*routes: BaseRoute) -> AsyncIterator[tuple[Dispatch, httpx.AsyncClient]]:
    dispatch = Dispatch(lifespan)
    dispatch.answer(routes)
    front = Front(
        dispatch, pages=Pages("http://localhost"), https=False, entropy=system_entropy, metrics=Metrics()
    )
    async with running(front), httpx.AsyncClient(transport=httpx.ASGITransport(front)) as http:
        yield dispatch, http


ROUTES: Sequence[str] = ("/a GET", "/b/{x} GET", "/b/c GET", "/a POST", "/a GET PUT")


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/a", "/a GET"),
        ("HEAD", "/a", ""),
        ("POST", "/a", "/a POST"),
        ("PUT", "/a", "/a GET PUT"),
        ("GET", "/b/c", "/b/c GET"),
        ("GET", "/b/d", "/b/{x} GET d"),
        ("GET", "/mounted/below", "/below GET"),
    ],
)
async def test_a_written_out_path_answers_before_all_others_and_else_the_first_that_fits(
    method: str, path: str, answer: str
) -> None:
    mounted = Mount("/mounted", routes=[told("/below GET")])
    async with answering(*map(told, ROUTES), mounted) as (_, http):
        response = await http.request(method, f"http://localhost{path}")
    assert (response.status_code, response.text) == (200, answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/a", 405),
        ("POST", "/b/c", 405),
        ("GET", "/a/", 404),
        ("GET", "/A", 404),
        ("GET", "/%61", 200),
    ],
)
async def test_what_no_route_answers_is_a_problem(method: str, path: str, status: int) -> None:
    async with answering(*map(told, ROUTES)) as (_, http):
        response = await http.request(method, f"http://localhost{path}")
    assert response.status_code == status
    if status == 405:
        assert "GET" in response.headers["allow"]
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"


async def test_all_methods_of_an_address_are_named_also_of_several_routes() -> None:
    async with answering(told("/a GET"), told("/a POST")) as (_, http):
        response = await http.delete("http://localhost/a")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_routes_change_while_it_runs() -> None:
    async with answering(told("/a GET")) as (dispatch, http):
        assert (await http.get("http://localhost/a")).status_code == 200
        dispatch.answer([told("/b GET")])
        assert (await http.get("http://localhost/a")).status_code == 404
        assert (await http.get("http://localhost/b")).status_code == 200
