"""A person is signed out of applications in a browser: frames end their sessions, with and without scripts."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.scope import Scope
from mapae.server.domain.clients import Client
from tests.browser.conftest import Screen
from tests.browser.listening import listening
from tests.journeys.processes import free_port
from tests.server.http.browser import CHALLENGE, VERIFIER
from tests.server.http.conftest import PASSWORD, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Shop:
    """The application: what browsers brought it, by path."""

    issuer: str
    url: str
    told: dict[str, dict[str, str]] = field(default_factory=dict)

    async def hear(self, request: Request) -> Response:
        """Answer a browser that a page has sent."""
        text = (await request.body()).decode() if request.method == "POST" else request.url.query
        self.told[request.url.path] = {name: values[0] for name, values in parse_qs(text).items()}
        return HTMLResponse("<!doctype html><title>Shop</title><p>Here we are again.")

    def authorization(self, **more: str) -> str:
        """Where the shop sends people who want to sign in."""
        asked = {
            "client_id": "shop",
            "redirect_uri": f"{self.url}/callback",
            "response_type": "code",
            "scope": "openid email",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return f"{self.issuer}/oauth/authorize?{urlencode(asked)}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> AsyncIterator[Shop]:
    """A server and an application, on two ports."""
    database = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('shop') / 'mapae.db')}"
    made = Shop(f"http://localhost:{free_port()}", f"http://127.0.0.1:{free_port()}")
    routes = [Route(path, made.hear, methods=["GET", "POST"]) for path in ("/callback", "/bye", "/front")]
    metadata = ClientMetadata(
        client_name="Hanok Tea House",
        redirect_uris=(f"{made.url}/callback",),
        post_logout_redirect_uris=(f"{made.url}/bye",),
        frontchannel_logout_uri=f"{made.url}/front",
        token_endpoint_auth_method="none",
        scope=Scope.parse("openid email"),
    )
    async with serving(database, MAPAE_ISSUER=made.issuer, MAPAE_DEV="true") as server:
        async with server.database.unit() as unit:
            await unit.clients.add(Client("shop", metadata))
            await unit.commit()
        async with (
            listening(server.app, int(made.issuer.rpartition(":")[2])),
            listening(Starlette(routes=routes), int(made.url.rpartition(":")[2])),
        ):
            yield made


async def sign_in(page: Page, username: str) -> None:
    """Fill in the page."""
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.locator("#login-submit").click()


# Two people, so that neither has agreed to anything before.
@pytest.mark.parametrize(("username", "script"), [("alice", True), ("bob", False)])
async def test_a_client_hears_of_it_before_the_person_is_back(
    screen: Screen, shop: Shop, username: str, script: bool
) -> None:
    async with screen.page(java_script_enabled=script) as page:
        await page.goto(shop.authorization(prompt="consent"))
        await sign_in(page, username)
        await page.locator("#consent-allow").click()
        await expect(page).to_have_title("Shop")
        told = shop.told.pop("/callback")
        answer = await page.request.post(
            f"{shop.issuer}/oauth/token",
            form={
                "grant_type": "authorization_code",
                "client_id": "shop",
                "code": told["code"],
                "redirect_uri": f"{shop.url}/callback",
                "code_verifier": VERIFIER,
            },
        )
        hint = (await answer.json())["id_token"]
        out = urlencode(
            {"id_token_hint": hint, "post_logout_redirect_uri": f"{shop.url}/bye", "state": "out"}
        )
        await page.goto(f"{shop.issuer}/oauth/logout?{out}")
        await expect(page).to_have_title("Shop")
        assert shop.told.pop("/bye") == {"state": "out"}
        assert shop.told.pop("/front").keys() == {"iss", "sid"}
        await page.goto(shop.authorization(prompt="none"))
        assert shop.told.pop("/callback")["error"] == "login_required"


async def test_a_person_signs_out_on_their_own(screen: Screen, shop: Shop) -> None:
    async with screen.page() as page:
        await page.goto(f"{shop.issuer}/login")
        await sign_in(page, "alice")
        await expect(page.get_by_role("heading", name="Signed in", exact=True)).to_be_visible()
        await page.get_by_role("link", name="Sign out").click()
        await page.locator("#logout-confirm").click()
        await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
