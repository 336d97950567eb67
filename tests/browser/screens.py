"""Pictures of every page in every state, for whoever changes the style: `python -m tests.browser.screens`."""

import asyncio
import itertools
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser.gallery import STATES, gallery
from tests.browser.listening import listening
from tests.chromium import chromium
from tests.journeys.processes import free_port

FOLDER = Path(__file__).with_name("screens")
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


async def main() -> None:
    """Take all of them. Scripts are off, so that no page goes on by itself."""
    FOLDER.mkdir(exist_ok=True)
    port = free_port()
    site = f"http://localhost:{port}"
    async with listening(gallery("https://auth.example.com", site), port), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium())
        for size, language, theme in itertools.product(SIZES, ("en", "ko"), ("light", "dark")):
            await _take(browser, site, size, language, theme)
        await browser.close()


async def _take(browser: Browser, site: str, size: str, language: str, theme: str) -> None:
    width, height = SIZES[size]
    page = await browser.new_page(
        viewport={"width": width, "height": height},
        locale=language,
        color_scheme="dark" if theme == "dark" else "light",
        java_script_enabled=False,
    )
    for name in STATES:
        await page.goto(f"{site}/{name}")
        await page.screenshot(path=FOLDER / f"{name}-{size}-{language}-{theme}.png", full_page=True)
    await page.close()


if __name__ == "__main__":
    asyncio.run(main())
