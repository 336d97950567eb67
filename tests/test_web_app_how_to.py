"""The web application of the how-to: a person signs in to it, and out again."""

import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from docs.generate import DOCS
from mapae.entropy import system_entropy
from mapae.server.actions.apply_setup import ApplySetup
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.domain.setup import parse_setup
from tests.browser.listening import listening
from tests.journeys.processes import free_port
from tests.server.http.browser import Page
from tests.server.http.conftest import PASSWORD, Server, serving
from tests.test_docs import files

HERE = "http://localhost:3000"


async def apply(server: Server, text: str) -> None:
    """Apply a set-up file."""
    hasher = Argon2Hasher(memory_kib=7168, time_cost=5, parallelism=1, threads=1, queue=10)
    action = ApplySetup(server.database, hasher, system_entropy)
    await action.apply(await action.plan(parse_setup(tomllib.loads(text))))
    hasher.close()


async def press(browser: httpx.AsyncClient, shown: httpx.Response, **typed: str) -> httpx.Response:
    """Fill in the form of a page, and send it."""
    (form,) = Page(shown.text).forms
    return await browser.post(shown.url.join(form.action), data={**form.fields, **typed})


async def test_a_person_signs_in_and_out(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named = files(Path(DOCS / "how-to/sign-in-to-a-web-app.md"))
    port = free_port()
    issuer = f"http://localhost:{port}"
    client = tomllib.loads(named["setup.toml"])["clients"][0]
    monkeypatch.setenv("CLIENT_SECRET", client["client_secret"])
    monkeypatch.setenv("SESSION_KEY", "a key of the session")
    names: dict[str, Any] = {}
    exec(named["tea_house.py"].replace("http://localhost:8000", issuer), names)
    async with (
        serving(sqlite_url, MAPAE_ISSUER=issuer, MAPAE_DEV="true") as server,
        listening(server.app, port),
        httpx.AsyncClient(
            mounts={HERE: httpx.ASGITransport(names["app"])}, follow_redirects=True, trust_env=False
        ) as browser,
    ):
        await apply(server, named["setup.toml"])
        login = await browser.get(f"{HERE}/login")
        assert "Tea house" in login.text
        consent = await press(browser, login, username="alice", password=PASSWORD)
        home = await press(browser, consent, decision="allow")
        assert home.url == f"{HERE}/"
        assert "You are alice." in home.text
        home = await browser.get(f"{HERE}/logout")
        assert str(home.url).startswith(f"{HERE}/")
        assert "Sign in" in home.text
        asked = await browser.get(f"{HERE}/login")
        assert 'id="login-submit"' in asked.text
