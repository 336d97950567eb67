"""Clients of the server under test, and what they ask of it."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote_plus

import httpx
from argon2 import PasswordHasher

from mapae.entropy import system_entropy
from mapae.jose import base64url
from mapae.oauth.claims_request import NO_CLAIMS, ClaimsRequest
from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.pkce import Challenge
from mapae.oauth.scope import Scope
from mapae.server.domain.clients import Client
from mapae.server.domain.codes import CODE_BYTES, CODE_LIFE_S, Code, code_of
from mapae.server.domain.ids import new_id
from mapae.server.domain.resource_servers import ResourceServer
from mapae.server.domain.sessions import Session
from tests.server.http.conftest import AUDIENCE, Server

CALLBACK = "https://app.example.com/callback"
SECRET = "a client's secret: with + and %"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = Challenge(base64url.encode(hashlib.sha256(VERIFIER.encode()).digest()))
OTHER_AUDIENCE = "https://other.example.com"
BOTH = ("authorization_code", "refresh_token")


@cache
def secret_hash() -> str:
    return PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1).hash(SECRET)


def _client(client_id: str, scope: str, **members: Any) -> Client:
    # A key for RS256 takes a while to make.
    members = {"id_token_signed_response_alg": "ES256", **members}
    metadata = ClientMetadata(redirect_uris=(CALLBACK,), scope=Scope.parse(scope), **members)
    return Client(client_id, metadata, secret_hash() if metadata.has_secret else None)


ALL = "openid profile email offline_access orders:read orders:write"
CLIENTS = {
    client.client_id: client
    for client in (
        _client("web", ALL, grant_types=(*BOTH, "client_credentials")),
        _client("other", ALL, grant_types=BOTH, token_endpoint_auth_method="client_secret_post"),
        _client("spa", ALL, grant_types=BOTH, token_endpoint_auth_method="none"),
        _client("once", ALL, id_token_signed_response_alg="RS256"),
        _client("api", "other:read", grant_types=("client_credentials",), resource_server=AUDIENCE),
        _client(
            "elsewhere", "other:read", grant_types=("client_credentials",), resource_server=OTHER_AUDIENCE
        ),
    )
}


async def add_clients(server: Server) -> None:
    """Register all of them, and a second resource server."""
    async with server.database.unit() as unit:
        for client in CLIENTS.values():
            await unit.clients.add(client)
        await unit.resource_servers.add(ResourceServer(OTHER_AUDIENCE, ("other:read", "shared")))
        await unit.commit()


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    """The header of client_secret_basic, encoded as RFC 6749 section 2.3.1 has it."""
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {b64encode(joined.encode()).decode()}"}


def proof(client_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a client proves who it is with: headers and parameters."""
    match CLIENTS[client_id].metadata.token_endpoint_auth_method:
        case "none":
            return {}, {"client_id": client_id}
        case "client_secret_post":
            return {}, {"client_id": client_id, "client_secret": SECRET}
        case _:
            return basic(client_id), {}


@dataclass
class Asking:
    """A client of the server."""

    server: Server
    client_id: str

    async def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
        proved, parameters = proof(self.client_id)
        return await self.server.http.post(
            path, data={**parameters, **form}, headers={**proved, **(headers or {})}
        )

    async def token(
        self, grant_type: str, headers: dict[str, str] | None = None, **form: str
    ) -> httpx.Response:
        return await self.post("/oauth/token", headers, grant_type=grant_type, **form)

    async def redeem(self, code: str, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
        asked = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER} | form
        return await self.token(
            "authorization_code", headers, **{name: value for name, value in asked.items() if value}
        )

    async def refresh(
        self, refresh_token: str, headers: dict[str, str] | None = None, **form: str
    ) -> httpx.Response:
        return await self.token("refresh_token", headers, refresh_token=refresh_token, **form)

    async def introspect(self, token: str) -> Any:
        return (await self.post("/oauth/introspect", token=token)).json()

    async def tokens(self, **more: Any) -> dict[str, Any]:
        """The tokens of a new code."""
        answer = await self.redeem(await a_code(self.server, self.client_id, **more))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens


async def a_session(server: Server, username: str = "alice") -> Session:
    """A sign-in of a user in a browser."""
    async with server.database.unit() as unit:
        user = await unit.users.named(username)
        assert user is not None
        now = await unit.now()
        session = Session(
            new_id(system_entropy), user.id, "mapae", now, now + 3600, now - 7, None, None, None
        )
        await unit.sessions.add(session)
        await unit.commit()
    return session


async def a_code(  # one argument a member
    server: Server,
    client_id: str,
    *,
    session: Session | None = None,
    scope: str = "openid email orders:read",
    audience: str = AUDIENCE,
    challenge: Challenge | None = CHALLENGE,
    nonce: str | None = "a nonce",
    subject: str | None = None,
    claims: ClaimsRequest = NO_CLAIMS,
    life_s: int = CODE_LIFE_S,
) -> str:
    """A code as the authorization endpoint hands it out."""
    session = session or await a_session(server)
    code = code_of(system_entropy(CODE_BYTES))
    async with server.database.unit() as unit:
        await unit.codes.add(
            [
                Code(
                    digest=code.digest(),
                    client_id=client_id,
                    session_id=session.id,
                    redirect_uri=CALLBACK,
                    scope=scope,
                    audience=audience,
                    auth_time=session.authenticated_at,
                    expires_at=await unit.now() + life_s,
                    subject=subject,
                    challenge=challenge,
                    nonce=nonce,
                    claims=claims,
                )
            ]
        )
        await unit.commit()
    return code.reveal()
