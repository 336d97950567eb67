"""The whole server in a browser: from a client's request to its answer, with and without scripts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Error, Page, Request, expect

from tests.browser.conftest import Screen
from tests.browser.listening import listening
from tests.journeys.processes import free_port
from tests.server.http.browser import CALLBACK, GOODBYE, authorization, register
from tests.server.http.conftest import PASSWORD, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def at_the_server(
    screen: Screen, database_url: str, **options: Any
) -> AsyncIterator[Callable[[str], Awaitable[Page]]]:
    """What opens an address of the server in a new tab. All tabs are of one fresh profile."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    async with serving(database_url, MAPAE_ISSUER=issuer) as server, listening(server.app, port):
        await register(server)
        async with screen.profile(**options) as profile:

            async def visit(address: str) -> Page:
                page = await profile.new_page()
                with suppress(Error):  # it may lead on to a client, which is away
                    await page.goto(issuer + address)
                return page

            yield visit


async def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the form, and send it."""
    await page.get_by_label("User name").fill("alice")
    await page.get_by_label("Password").fill(password)
    await page.locator("#login-submit").click()


async def heard(page: Page, act: Awaitable[object], at: str = CALLBACK) -> dict[str, list[str]]:
    """What the client is told when a person does something. It is away; that it is called is enough."""
    async with page.context.expect_event("request", lambda request: request.url.startswith(at)) as called:
        await act
    request: Request = await called.value
    return parse_qs(request.post_data or urlsplit(request.url).query)


@pytest.mark.parametrize("script", [True, False])
async def test_a_person_signs_in_allows_comes_back_and_signs_out(
    screen: Screen, sqlite_url: str, script: bool
) -> None:
    async with at_the_server(screen, sqlite_url, java_script_enabled=script) as visit:
        page = await visit(authorization())
        await expect(page.get_by_text("Web shop")).to_be_visible()
        await sign_in(page, "wrong")
        await expect(page.get_by_role("alert")).to_contain_text("User name or password is wrong")
        await sign_in(page)
        await expect(page.get_by_role("heading")).to_have_text("Web shop asks for access")
        told = await heard(page, page.locator("#consent-allow").click())
        assert told.keys() >= {"code", "state", "iss"}

        told = await heard(page, visit(authorization(state="again")))
        assert told["state"] == ["again"]  # and nobody was asked

        page = await visit(f"/oauth/logout?client_id=web&post_logout_redirect_uri={GOODBYE}")
        await heard(page, page.locator("#logout-confirm").click(), GOODBYE)
        page = await visit(authorization())
        await expect(page.locator("#login-submit")).to_be_visible()


async def test_a_person_refuses_in_korean(screen: Screen, sqlite_url: str) -> None:
    async with at_the_server(screen, sqlite_url) as visit:
        page = await visit(authorization(ui_locales="ko"))
        await page.get_by_label("사용자 이름").fill("alice")
        await page.get_by_label("비밀번호").fill(PASSWORD)
        await page.get_by_role("button", name="로그인").click()
        told = await heard(page, page.get_by_role("button", name="허용하지 않음").click())
        assert told["error"] == ["access_denied"]


async def test_an_answer_by_form_reaches_the_client(screen: Screen, sqlite_url: str) -> None:
    async with at_the_server(screen, sqlite_url) as visit:
        page = await visit(authorization(response_mode="form_post"))
        await sign_in(page)
        told = await heard(page, page.locator("#consent-allow").click())
        assert told.keys() >= {"code", "state", "iss"}


async def test_an_application_on_the_device_is_answered_at_its_port(screen: Screen, sqlite_url: str) -> None:
    redirect_uri = f"http://127.0.0.1:{free_port()}/callback"
    asked = authorization(client_id="mapae", redirect_uri=redirect_uri, scope="orders:read")
    async with at_the_server(screen, sqlite_url) as visit:
        page = await visit(asked)
        await sign_in(page)
        await expect(page.get_by_text("runs on your device")).to_be_visible()
        told = await heard(page, page.locator("#consent-allow").click(), redirect_uri)
        assert "code" in told


async def test_an_unknown_address_to_return_to_is_an_error_here(screen: Screen, sqlite_url: str) -> None:
    async with at_the_server(screen, sqlite_url) as visit:
        page = await visit(authorization(redirect_uri="https://evil.example/"))
        await expect(page.get_by_text("error=unregistered_redirect_uri")).to_be_visible()
        assert urlsplit(page.url).path == "/oauth/authorize"
