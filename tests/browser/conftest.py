"""A browser for the tests of pages: Chromium, driven by Playwright."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, async_playwright

from tests.chromium import ChromiumMissing, chromium

#: Clients have names, and are not there.
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"


@dataclass
class Screen:
    """A browser, and all that its pages complained of."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def profile(self, **options: Any) -> AsyncIterator[BrowserContext]:
        """A fresh profile, as of `Browser.new_context`."""
        context = await self.browser.new_context(**{"locale": "en", **options})
        context.set_default_timeout(10_000)
        context.on("console", self._console)
        context.on("dialog", self._dialog)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        yield context
        await context.close()

    @asynccontextmanager
    async def page(self, **options: Any) -> AsyncIterator[Page]:
        """A page of a fresh profile."""
        async with self.profile(**options) as context:
            yield await context.new_page()

    def _console(self, message: ConsoleMessage) -> None:
        address = message.location["url"]
        # A page that tells of an error has the status of one, which browsers tell too.
        if not message.text.startswith("Failed to load resource") or "/static/" in address:
            self.complaints.append(f"{address}: {message.text}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for the tests of a module."""
    try:
        path = chromium()
    except ChromiumMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=[NO_OTHER_HOST])
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="module")
async def screen(browser: Browser) -> AsyncIterator[Screen]:
    """The browser. No page may complain during the test: of the content policy, of a script, of anything."""
    made = Screen(browser)
    yield made
    assert made.complaints == []
