"""The pages in a browser: for the keyboard, for small screens and large letters, without scripts, in both themes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Screen
from tests.browser.gallery import STATES, STAYING, gallery
from tests.browser.listening import listening
from tests.journeys.processes import free_port
from tests.server.http.pages.contexts import HOSTILE

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUTLINE = "getComputedStyle(document.activeElement).outline"
FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHIFT = """() => new Promise(resolve => new PerformanceObserver(list => resolve(
    list.getEntries().map(entry => entry.value))).observe({type: 'layout-shift', buffered: true})
    || setTimeout(() => resolve([]), 50))"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[str]:
    """Where the pages are. The client is at the same port, of another host."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    async with listening(gallery(issuer, client=f"http://127.0.0.1:{port}"), port):
        yield issuer


async def tab(page: Page) -> str:
    """Press the key: what has the focus then."""
    await page.keyboard.press("Tab")
    focused: str = await page.evaluate(FOCUSED)
    return focused


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ko", "dark")])
async def test_axe_finds_nothing_to_improve(screen: Screen, site: str, language: str, theme: str) -> None:
    async with screen.page(locale=language, color_scheme=theme) as page:
        found = {}
        for name in STAYING:
            await page.goto(f"{site}/{name}")
            result = await Axe().run(page)
            found[name] = result.generate_report() if result.violations_count else ""
    assert not any(found.values()), "\n".join(found.values())


@pytest.mark.parametrize("script", [True, False])
async def test_a_response_reaches_the_client_with_and_without_scripts(
    screen: Screen, site: str, script: bool
) -> None:
    async with screen.page(java_script_enabled=script) as page:
        await page.goto(f"{site}/form-post")
        if not script:
            await page.get_by_role("button", name="Continue").click()
        await expect(page).to_have_title("Client")
        await expect(page.locator("pre")).to_have_text("state=Hanok+Tea+House&code=c")


async def test_signing_in_needs_no_mouse_and_no_script(screen: Screen, site: str) -> None:
    async with screen.page(java_script_enabled=False) as page:
        await page.goto(f"{site}/login")
        await expect(page.get_by_label("User name")).to_be_focused()
        await page.keyboard.type("alice")
        assert await tab(page) == "password"
        await page.keyboard.type("secret")
        assert await tab(page) == "login-submit"
        assert await tab(page) == "한국어"
        await page.get_by_label("Password").press("Enter")
        sent = page.locator("pre")
        await expect(sent).to_contain_text("username=alice&password=secret")
        await expect(sent).to_contain_text("csrf=c&return_to=%2Foauth%2Fauthorize")


async def test_consent_is_answered_by_keyboard_and_focus_is_seen(screen: Screen, site: str) -> None:
    async with screen.page() as page:
        await page.goto(f"{site}/consent")
        order = [
            "consent-allow",
            "consent-deny",
            "Privacy policy (new window)",
            "Terms of service (new window)",
        ]
        for focused in [*order, "한국어"]:
            assert await tab(page) == focused
            assert "solid 3px" in await page.evaluate(OUTLINE)


async def test_a_wrong_password_is_told_where_the_fields_are(screen: Screen, site: str) -> None:
    async with screen.page() as page:
        await page.goto(f"{site}/login-wrong")
        words = "User name or password is wrong. Check both, then try again."
        await expect(page.get_by_role("alert")).to_have_text(words)
        await expect(page.get_by_label("User name")).to_have_accessible_description(words)
        await expect(page.get_by_label("User name")).to_have_value("alice")
        await expect(page.get_by_label("Password")).to_be_focused()
        await expect(page.get_by_label("Password")).to_have_value("")


async def test_nothing_is_wider_than_a_narrow_screen_with_large_letters(screen: Screen, site: str) -> None:
    async with screen.page(viewport={"width": 320, "height": 480}, java_script_enabled=False) as page:
        for name in STATES:
            for language in ("en", "ko"):
                await page.goto(f"{site}/{name}?lang={language}")
                await page.evaluate("document.documentElement.style.fontSize = '200%'")
                assert await page.evaluate(OVERFLOW) <= 0, (name, language)


async def test_what_others_chose_stays_text(screen: Screen, site: str) -> None:
    async with screen.page() as page:
        for name in ("login", "consent", "error", "logout"):
            await page.goto(f"{site}/hostile-{name}")
            await expect(page.get_by_text(HOSTILE).first).to_be_visible()
            assert await page.locator("main script, main img").count() == 1  # the mark
        await page.goto(f"{site}/hostile-login")
        await expect(page.get_by_label("User name")).to_have_value(HOSTILE)


async def test_the_language_is_changed_without_a_script_and_stays(screen: Screen, site: str) -> None:
    async with screen.page(java_script_enabled=False) as page:
        await page.goto(f"{site}/login?ui_locales=en")
        await page.get_by_role("link", name="한국어").click()
        await expect(page.get_by_role("button", name="로그인")).to_be_visible()
        await page.goto(f"{site}/consent?ui_locales=en")
        await expect(page.get_by_role("button", name="허용", exact=True)).to_be_visible()
        await page.get_by_role("link", name="English").click()
        await expect(page.get_by_role("button", name="Allow", exact=True)).to_be_visible()


async def test_each_theme_has_its_ground(screen: Screen, site: str) -> None:
    grounds = []
    for theme in ("light", "dark"):
        async with screen.page(color_scheme=theme) as page:
            await page.goto(f"{site}/login")
            grounds.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(244, 241, 236)", "rgb(21, 18, 15)"]


async def test_nothing_moves_while_a_page_loads(screen: Screen, site: str) -> None:
    async with screen.page() as page:
        for name in ("login", "consent", "error"):
            await page.goto(f"{site}/{name}")
            assert await page.evaluate(SHIFT) == []
