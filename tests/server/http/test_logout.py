"""Signing out: at the wish of a client, with and without the user's word, and how the other clients hear of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from mapae.jose import jws, jwt
from mapae.jose.jwks import JwkSet
from mapae.server.store import tables
from tests.private_ca import PrivateCa, private_ca
from tests.server.adapters.outside import Outside, answered, outside
from tests.server.http.browser import GOODBYE, Browser, Page, browsing, heard, register, rows
from tests.server.http.conftest import ISSUER, Server, serving


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCa:
    return private_ca(tmp_path)


@pytest.fixture
async def server(sqlite_url: str, ca: PrivateCa) -> AsyncIterator[Server]:
    """On SQLite, allowed to post to this machine."""
    settings = {"MAPAE_OUTBOUND_ALLOW": "localhost", "MAPAE_OUTBOUND_CA_FILE": str(ca.file)}
    async with serving(sqlite_url, **settings) as made:
        yield made


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    """At whose side the web shop is."""
    await register(server)
    async with browsing(server) as made:
        yield made


@pytest.fixture
async def client(ca: PrivateCa) -> AsyncIterator[Outside]:
    """Where a client hears of log-outs."""
    async with outside(answered(b""), ca.serving("localhost")) as made:
        yield made


async def ended(server: Server) -> list[object]:
    """Why each session ended, None for those that live."""
    return [session["ended_reason"] for session in await rows(server, "sessions")]


async def id_token(browser: Browser, **changed: str) -> str:
    """What a client that the browser has gone to gets."""
    told = await browser.arrive(**changed)
    return str((await browser.redeem(told["code"], **changed)).json()["id_token"])


def logout(**parameters: str) -> str:
    return f"/oauth/logout?{httpx.QueryParams(parameters)}"


async def until_heard(client: Outside, requests: int) -> None:
    """Wait until the client has heard so often."""
    async with asyncio.timeout(20):
        while len(client.bodies) < requests:
            await asyncio.sleep(0.01)


async def until_empty(server: Server) -> None:
    """Wait until nothing is in the outbox."""
    async with asyncio.timeout(20):
        while await rows(server, "logout_deliveries"):
            await asyncio.sleep(0.01)


class TestAtTheWishOfAClient:
    async def test_with_a_hint_the_session_ends_at_once(self, server: Server, browser: Browser) -> None:
        hint = await id_token(browser)
        answer = await browser.open(
            logout(id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="a state")
        )
        assert heard(answer, GOODBYE) == {"state": "a state"}
        assert await ended(server) == ["logged_out"]
        assert heard(await browser.authorize(prompt="none"))["error"] == "login_required"

    @pytest.mark.parametrize("state", [{}, {"state": "alone"}])
    async def test_without_anything_the_user_is_asked(
        self, server: Server, browser: Browser, state: dict[str, str]
    ) -> None:
        await browser.arrive()
        asked = await browser.open(logout(**state))
        assert asked.status_code == 200
        assert await ended(server) == [None]
        done = await browser.submit(asked, "logout-confirm")
        assert "signed out" in Page(done.text).text
        assert await ended(server) == ["logged_out"]

    async def test_with_a_client_id_the_user_is_asked_and_goes_back(
        self, server: Server, browser: Browser
    ) -> None:
        await browser.arrive()
        asked = await browser.open(logout(client_id="web", post_logout_redirect_uri=GOODBYE, state="s"))
        assert "Web shop" in asked.text
        assert heard(await browser.submit(asked, "logout-confirm"), GOODBYE) == {"state": "s"}

    async def test_the_hint_of_another_session_is_not_enough(self, server: Server, browser: Browser) -> None:
        async with browsing(server) as other:
            elsewhere = await id_token(other)
        await browser.arrive()
        asked = await browser.open(logout(id_token_hint=elsewhere))
        assert 'id="logout-confirm"' in asked.text
        assert await ended(server) == [None, None]

    async def test_who_is_signed_out_already_goes_back_at_once(self, browser: Browser) -> None:
        answer = await browser.open(logout(client_id="web", post_logout_redirect_uri=GOODBYE))
        assert answer.headers["location"] == GOODBYE

    async def test_a_request_may_come_as_a_form(self, server: Server, browser: Browser) -> None:
        hint = await id_token(browser)
        data = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE}
        posted = await browser.http.post("/oauth/logout", data=data)
        assert await ended(server) == [None]
        assert (await browser.follow(posted)).headers["location"] == GOODBYE


class TestRefused:
    @pytest.mark.parametrize(
        ("parameters", "code"),
        [
            ({"client_id": "nobody"}, "unknown_client"),
            ({"post_logout_redirect_uri": GOODBYE}, "unregistered_redirect_uri"),
            (
                {"client_id": "web", "post_logout_redirect_uri": GOODBYE + "?foo=bar"},
                "unregistered_redirect_uri",
            ),
            (
                {"client_id": "web", "post_logout_redirect_uri": "https://evil.example"},
                "unregistered_redirect_uri",
            ),
            ({"id_token_hint": "nonsense"}, "invalid_request"),
            ({"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ],
    )
    async def test_on_our_own_page_and_nothing_ends(
        self, server: Server, browser: Browser, parameters: dict[str, str], code: str
    ) -> None:
        await browser.arrive()
        answer = await browser.open(logout(**parameters))
        assert (answer.status_code, code in answer.text, "rror" in answer.text) == (400, True, True)
        assert await ended(server) == [None]

    async def test_an_altered_hint(self, server: Server, browser: Browser) -> None:
        hint = await id_token(browser)
        altered = f"{hint[:-8]}AAAAAAAA"
        answer = await browser.open(logout(id_token_hint=altered, post_logout_redirect_uri=GOODBYE))
        assert answer.status_code == 400
        assert await ended(server) == [None]

    async def test_a_hint_and_another_client(self, server: Server, browser: Browser) -> None:
        await register(server, "other")
        hint = await id_token(browser)
        assert (await browser.open(logout(id_token_hint=hint, client_id="other"))).status_code == 400
        assert await ended(server) == [None]


class TestFrontChannel:
    async def test_frames_end_the_sessions_and_the_page_goes_on_without_a_script(
        self, server: Server, browser: Browser
    ) -> None:
        uri = "https://app.example.com/signed-out?by=op"
        await register(server, "other", frontchannel_logout_uri=uri)
        other = await id_token(browser, client_id="other")
        hint = await id_token(browser)
        answer = await browser.open(logout(id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="s"))
        page = Page(answer.text)
        sid = jwt.parse_claims(jws.split(other).payload)["sid"]
        (frame,) = page.frames
        assert frame.startswith(uri)
        assert dict(httpx.URL(frame).params) == {"by": "op", "iss": ISSUER, "sid": sid}
        assert "frame-src https://app.example.com" in answer.headers["content-security-policy"]
        assert page.links == [f"{GOODBYE}?state=s"]
        assert page.refresh is not None
        assert page.refresh.endswith(f"url={GOODBYE}?state=s")


class TestBackChannel:
    async def test_a_client_is_told_whoever_ends_the_session(
        self, server: Server, browser: Browser, client: Outside
    ) -> None:
        await register(
            server,
            "told",
            backchannel_logout_uri=client.url("/logout"),
            id_token_signed_response_alg="ES256",
        )
        hint = jwt.parse_claims(jws.split(await id_token(browser, client_id="told")).payload)
        await browser.open(logout(id_token_hint=await id_token(browser)))
        await until_heard(client, 1)
        token = httpx.QueryParams(client.bodies[0])["logout_token"]
        parts = jws.split(token)
        keys = JwkSet.parse((await server.http.get("/.well-known/jwks.json")).json())
        jws.verify(parts, keys.key_for(parts.header, ["ES256"]), ["ES256"])
        assert parts.header["typ"] == "logout+jwt"
        claims = jwt.parse_claims(parts.payload)
        assert {name: claims.pop(name) for name in ("iss", "aud", "sub", "sid", "events")} == {
            "iss": ISSUER,
            "aud": "told",
            "sub": hint["sub"],
            "sid": hint["sid"],
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        assert claims.keys() == {"iat", "exp", "jti"}
        assert claims["exp"] - claims["iat"] == 120
        await until_empty(server)

    async def test_a_client_that_fails_is_told_again_and_given_up_in_the_end(
        self, server: Server, browser: Browser, client: Outside
    ) -> None:
        await register(server, "told", backchannel_logout_uri=client.url("/logout"))
        client.answer = [answered(b"", status="503 Busy")]
        await id_token(browser, client_id="told")
        await browser.submit(await browser.open("/oauth/logout"), "logout-confirm")
        await until_heard(client, 1)
        await self._try_again(server, tries=4)
        await until_heard(client, 2)
        await until_empty(server)
        given_up = [
            event["members"]
            for event in await rows(server, "events")
            if event["name"] == "logout_undelivered"
        ]
        (session,) = await rows(server, "sessions")
        assert given_up == [{"client_id": "told", "session_id": session["id"]}]

    async def test_a_client_that_does_not_want_it_is_told_once(
        self, server: Server, browser: Browser, client: Outside
    ) -> None:
        await register(server, "told", backchannel_logout_uri=client.url("/logout"))
        client.answer = [answered(b"", status="400 Bad Request")]
        await id_token(browser, client_id="told")
        await browser.submit(await browser.open("/oauth/logout"), "logout-confirm")
        await until_empty(server)
        assert len(client.bodies) == 1

    async def test_clients_that_got_nothing_are_not_told(self, server: Server, browser: Browser) -> None:
        await register(server, "told", backchannel_logout_uri="https://localhost:9/logout")
        hint = await id_token(browser)
        await browser.open(logout(id_token_hint=hint))
        assert await rows(server, "logout_deliveries") == []

    async def _try_again(self, server: Server, *, tries: int) -> None:
        """Let the time of the last try have come."""
        async with asyncio.timeout(20):
            while not [
                row for row in await rows(server, "logout_deliveries") if row["due_at"] != row["created_at"]
            ]:
                await asyncio.sleep(0.01)
        async with server.database.writing.connect() as connection:
            await connection.execute(update(tables.logout_deliveries).values(due_at=0, tries=tries))
            await connection.commit()
