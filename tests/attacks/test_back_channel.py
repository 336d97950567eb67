"""The attacker answers where a client should hear of log-outs (OpenID Connect Back-Channel Logout 1.0 section 2.5)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.private_ca import PrivateCa, private_ca
from tests.server.adapters.outside import answered, outside
from tests.server.http.browser import Browser, Page, browsing, register, rows
from tests.server.http.conftest import Server, serving


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCa:
    return private_ca(tmp_path)


@pytest.fixture
async def server(sqlite_url: str, ca: PrivateCa, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """One that may post to this machine, and one that may not."""
    settings = {"MAPAE_OUTBOUND_CA_FILE": str(ca.file)}
    if request.param:
        settings["MAPAE_OUTBOUND_ALLOW"] = request.param
    async with serving(sqlite_url, **settings) as made:
        yield made


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    async with browsing(server) as made:
        yield made


async def signs_out(browser: Browser) -> None:
    """Sign in at the attacker's client, and out again: the user sees that it is done."""
    told = await browser.arrive(client_id="evil")
    await browser.redeem(told["code"], client_id="evil")
    done = await browser.submit(await browser.open("/oauth/logout"), "logout-confirm")
    assert "signed out" in Page(done.text).text


async def until(server: Server, tried: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Wait until the outbox is so: what is in it then."""
    async with asyncio.timeout(20):
        while not tried(found := await rows(server, "logout_deliveries")):
            await asyncio.sleep(0.01)
    return found


def soon(delivery: dict[str, Any]) -> int:
    return int(delivery["created_at"]) + 20


@pytest.mark.parametrize("server", ["localhost"], indirect=True)
async def test_who_never_answers_keeps_nobody_waiting(
    server: Server, browser: Browser, ca: PrivateCa
) -> None:
    async with outside([], ca.serving("localhost")) as hanging:
        await register(server, "evil", backchannel_logout_uri=hanging.url("/logout"))
        await signs_out(browser)
        async with asyncio.timeout(20):
            while not hanging.bodies:
                await asyncio.sleep(0.01)
        assert len(await rows(server, "logout_deliveries")) == 1


@pytest.mark.parametrize("server", ["localhost"], indirect=True)
async def test_a_redirect_leads_nowhere(server: Server, browser: Browser, ca: PrivateCa) -> None:
    async with outside(answered(b""), ca.serving("localhost")) as inside:
        redirect = answered(b"", f"Location: {inside.url('/logout')}", status="307 Temporary Redirect")
        async with outside(redirect, ca.serving("localhost")) as evil:
            await register(server, "evil", backchannel_logout_uri=evil.url("/logout"))
            await signs_out(browser)
            assert await until(server, lambda outbox: not outbox) == []
            assert (len(evil.bodies), inside.bodies) == (1, [])


@pytest.mark.parametrize("server", [""], indirect=True)
async def test_hosts_of_our_own_network_are_never_spoken_to(
    server: Server, browser: Browser, ca: PrivateCa
) -> None:
    async with outside(answered(b""), ca.serving("localhost")) as inside:
        await register(server, "evil", backchannel_logout_uri=inside.url("/logout"))
        await signs_out(browser)
        # Put off: sooner due again than one that is under way.
        await until(server, lambda outbox: outbox[0]["tries"] > 0 and outbox[0]["due_at"] < soon(outbox[0]))
        assert inside.requests == []
