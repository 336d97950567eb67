"""Errors that a person sees: a page where a browser asks for one, with the status and headers of the document."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mapae.oauth.errors import ErrorCode
from mapae.server.adapters.argon2_hasher import HashingBusy
from mapae.server.domain.problems import ProblemCode
from mapae.server.http.pages.rendering import Pages
from mapae.server.http.pages.words import ERRORS
from tests.server.http.pages.fronted import fronted

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = Pages("https://auth.example.com")


async def busy(request: Request) -> Response:
    raise HashingBusy(7)


async def broken(request: Request) -> Response:
    raise RuntimeError("the secret of the house")


async def plain(request: Request) -> Response:
    return PlainTextResponse("hello")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    routes = (Route(f"/{each.__name__}", each) for each in (busy, broken, plain))
    transport = httpx.ASGITransport(fronted(PAGES, *routes))
    async with httpx.AsyncClient(transport=transport, base_url="https://auth.example.com") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/nowhere", 404, "not_found"), ("/busy", 503, "busy"), ("/broken", 500, "server_error")],
)
async def test_a_browser_is_shown_a_page_and_everyone_else_a_document(
    http: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    page, document = await http.get(path, headers=BROWSER), await http.get(path)
    assert (page.status_code, document.status_code) == (status, status)
    assert page.headers["content-type"].startswith("text/html")
    assert f"error={code}" in page.text
    assert document.headers["content-type"] == "application/problem+json"
    assert document.json()["code"] == code
    assert page.headers.get("retry-after") == document.headers.get("retry-after")
    assert page.headers["cache-control"] == "no-store"


async def test_the_page_of_an_incident_names_it_and_nothing_else(http: httpx.AsyncClient) -> None:
    page = await http.get("/broken", headers=BROWSER)
    assert page.headers["x-request-id"] in page.text
    assert "secret" not in page.text


async def test_only_pages_have_the_policy_of_pages(http: httpx.AsyncClient) -> None:
    page, other = await http.get("/nowhere", headers=BROWSER), await http.get("/plain")
    (policy,) = page.headers.get_list("content-security-policy")
    assert "style-src 'self'" in policy
    assert other.headers.get_list("content-security-policy") == ["default-src 'none'; frame-ancestors 'none'"]


async def test_what_a_page_links_to_is_there_and_kept(http: httpx.AsyncClient) -> None:
    page = await http.get("/nowhere", headers=BROWSER)
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        answer = await http.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await http.get("/static/mapae.css")).status_code == 404


def test_words_are_of_codes_that_there_are() -> None:
    assert set(ERRORS) <= {*ProblemCode, *ErrorCode}
