"""A browser without JavaScript, as far as the pages need one: cookies, redirects, forms, frames."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from sqlalchemy import select
from starlette.types import ASGIApp

from mapae.oauth.client_metadata import ClientMetadata
from mapae.server.domain.clients import Client
from mapae.server.store import tables
from tests.server.http.conftest import ISSUER, PASSWORD, Server

CALLBACK = "https://app.example.com/callback"
GOODBYE = "https://app.example.com/bye"
#: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
WEB = {
    "client_name": "Web shop",
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [GOODBYE],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
    "scope": "openid profile email offline_access orders:read",
}


@dataclass
class Form:
    """A form of a page: where it goes, and what its fields hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page has: its forms, its frames, its text."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.frames: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.refresh: str | None = None
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.forms.append(Form(has["action"]))
            case "input" if self.forms:
                self.forms[-1].fields[has["name"]] = has.get("value", "")
            case "button" if self.forms and "id" in has:
                self.forms[-1].buttons[has["id"]] = has.get("name", ""), has.get("value", "")
            case "iframe":
                self.frames.append(has["src"])
            case "a":
                self.links.append(has["href"])
            case "meta" if has.get("http-equiv") == "refresh":
                self.refresh = has["content"]

    def handle_data(self, data: str) -> None:
        self.text += data


class Browser:
    """One person's browser. It follows redirects as long as they stay at the issuer."""

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str] | None = None) -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=("192.0.2.9", 4712)),
            base_url=ISSUER,
            headers={"Accept": "text/html", **(headers or {})},
        )

    async def open(self, url: str) -> httpx.Response:
        """Go to an address."""
        return await self.follow(await self.http.get(url))

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Where redirects lead: a page of ours, or the redirect that leads elsewhere."""
        while answer.has_redirect_location and self._target(answer).startswith(ISSUER + "/"):
            answer = await self.http.get(self._target(answer))
        return answer

    async def submit(
        self, answer: httpx.Response, button: str, headers: Mapping[str, str] | None = None, **typed: str
    ) -> httpx.Response:
        """Fill in the form of a page, and press a button of it."""
        (form,) = Page(answer.text).forms
        name, value = form.buttons[button]
        data = {**form.fields, **typed, **({name: value} if name else {})}
        return await self.follow(await self.http.post(form.action, data=data, headers=headers))

    async def sign_in(
        self, answer: httpx.Response, username: str = "alice", password: str = PASSWORD
    ) -> httpx.Response:
        """What comes after the login page."""
        return await self.submit(answer, "login-submit", username=username, password=password)

    async def authorize(self, **changed: str | None) -> httpx.Response:
        """Come with an authorization request of the web shop."""
        return await self.open(authorization(**changed))

    async def arrive(self, **changed: str | None) -> dict[str, str]:
        """Go through all of it as alice, pressing what there is to press: what the client hears."""
        answer = await self.authorize(**changed)
        if answer.status_code == 200 and 'id="login-submit"' in answer.text:
            answer = await self.sign_in(answer)
        if answer.status_code == 200 and 'id="consent-allow"' in answer.text:
            answer = await self.submit(answer, "consent-allow")
        return heard(answer)

    async def redeem(self, code: str, **changed: str) -> httpx.Response:
        """What the client gets for its code."""
        data = {
            "grant_type": "authorization_code",
            "client_id": changed.get("client_id", "web"),
            "redirect_uri": CALLBACK,
            "code": code,
            "code_verifier": VERIFIER,
        }
        return await self.http.post("/oauth/token", data=data)

    def _target(self, answer: httpx.Response) -> str:
        return urljoin(str(answer.url), answer.headers["location"])


def authorization(**changed: str | None) -> str:
    """The address of a sound authorization request, with these parameters changed (None: left out)."""
    parameters = {
        "client_id": "web",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    sent = {name: value for name, value in parameters.items() if value is not None}
    return f"/oauth/authorize?{httpx.QueryParams(sent)}"


def heard(answer: httpx.Response, at: str = CALLBACK) -> dict[str, str]:
    """What a redirect tells the client."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith(at), location
    parts = urlsplit(location)
    return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}


async def register(server: Server, client_id: str = "web", **changed: object) -> None:
    """Have the server know a client."""
    async with server.database.unit() as unit:
        await unit.clients.add(Client(client_id, ClientMetadata.parse({**WEB, **changed})))
        await unit.commit()


async def rows(server: Server, table: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    async with server.database.reading_engine.connect() as connection:
        found = await connection.execute(select(tables.metadata.tables[table]))
        return [dict(row._mapping) for row in found]


@asynccontextmanager
async def browsing(server: Server, **more: Mapping[str, str]) -> AsyncIterator[Browser]:
    """Another person's browser."""
    browser = Browser(server.app, **more)
    async with browser.http:
        yield browser
