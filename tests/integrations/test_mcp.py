"""The Model Context Protocol: the SDK's HTTP application with its own middleware, and tools behind scopes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
import pytest
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError

from mapae import AccessToken, Verifier
from mapae.integrations.mcp import TokenVerifier, UnavailableMiddleware, current_token
from mapae.testing import Issuer
from mapae.verifier import Needs

RESOURCE = "https://mcp.example.com/mcp"
METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
ISSUER = Issuer(audience=RESOURCE)
CLEARING = Needs(scopes=["orders:write"], roles=["admin"], fresh_s=300, acr=["mfa", "pwd"])


def clearer() -> AccessToken:
    """The token of a call that may clear all orders."""
    return current_token(needs=CLEARING)


def _server(verifier: Verifier) -> MCPServer[Any]:
    tokens = TokenVerifier(verifier, resource=RESOURCE)
    server: MCPServer[Any] = MCPServer(
        "orders", token_verifier=tokens, auth=tokens.settings(scopes=["orders:read"]), log_level="CRITICAL"
    )

    @server.tool()
    def list_orders() -> list[str]:
        """A tool that runs in a thread."""
        return [f"a saddle for {current_token('orders:read').subject}"]

    @server.tool()
    async def add_order(item: str) -> str:
        """A tool that runs in the event loop."""
        return f"{item} for {current_token('orders:read', 'orders:write').subject}"

    @server.tool()
    def clear_orders(token: Annotated[AccessToken, Resolve(clearer)], reason: str) -> str:
        """A tool that gets the token as a parameter, of which the caller sees nothing."""
        return f"cleared by {token.subject}: {reason}"

    @server.tool()
    def seen_by_the_sdk() -> dict[str, Any]:
        """What the SDK makes of the token."""
        token = get_access_token()
        return token.model_dump(exclude={"token", "expires_at"}) if token else {}

    return server


class Caller:
    """A client of the protocol that sends one message a request."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.session: dict[str, str] = {}

    async def send(self, token: str | None, method: str, **params: Any) -> httpx2.Response:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        authorization = {"Authorization": f"Bearer {token}"} if token is not None else {}
        accept = {"Accept": "application/json, text/event-stream"}
        return await self.http.post("/mcp", json=message, headers={**accept, **authorization, **self.session})

    async def initialize(self, token: str | None) -> httpx2.Response:
        answer = await self.send(
            token,
            "initialize",
            protocolVersion="2025-06-18",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        self.session = {
            name: value for name, value in answer.headers.items() if name.lower() == "mcp-session-id"
        }
        return answer

    async def call(self, token: str, tool: str, **arguments: Any) -> Any:
        """The result of a tool; an error is its text."""
        answer = await self.send(token, "tools/call", name=tool, arguments=arguments)
        assert answer.status_code == 200, answer.text
        result = json.loads(answer.text)["result"]
        text = result["content"][0]["text"]
        return (
            text
            if result["isError"]
            else result["structuredContent"].get("result", result["structuredContent"])
        )


@asynccontextmanager
async def _calling(verifier: Verifier | None = None, *, stateless: bool = False) -> AsyncIterator[Caller]:
    app = _server(verifier or ISSUER.verifier()).streamable_http_app(
        host="mcp.example.com", json_response=True, stateless_http=stateless
    )
    app.add_middleware(UnavailableMiddleware)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://mcp.example.com") as http,
    ):
        yield Caller(http)


def _reader(**options: Any) -> str:
    return ISSUER.token(**{"subject": "alice", "scopes": ["orders:read"], **options})


def _writer() -> str:
    return _reader(scopes=["orders:read", "orders:write"])


async def test_a_tool_gets_the_token() -> None:
    async with _calling() as caller:
        assert (await caller.initialize(_reader())).status_code == 200
        assert await caller.call(_reader(), "list_orders") == ["a saddle for alice"]
        assert await caller.call(_writer(), "add_order", item="a bridle") == "a bridle for alice"


@pytest.mark.parametrize("stateless", [False, True])
async def test_a_tool_sees_the_token_of_its_request_not_that_of_the_session(stateless: bool) -> None:
    async with _calling(stateless=stateless) as caller:
        await caller.initialize(_writer())
        refused = await caller.call(_reader(), "add_order", item="a bridle")
        added = await caller.call(_writer(), "add_order", item="a bridle")

    assert 'does not cover this call. It needs: scope="orders:read orders:write"' in refused
    assert added == "a bridle for alice"


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, "cleared by alice: stock-taking"),
        (
            {"scopes": ["orders:read"]},
            'The access token does not cover this call. It needs: scope="orders:write"',
        ),
        ({"roles": ["member"]}, "The access token does not cover this call."),
        (
            {"claims": {"acr": "pwd", "auth_time": 1}},
            "The user has to sign in again, or in a stronger way. "
            'It needs: max_age="300", acr_values="mfa pwd"',
        ),
        (
            {"claims": {"acr": "otp"}},
            "The user has to sign in again, or in a stronger way. "
            'It needs: max_age="300", acr_values="mfa pwd"',
        ),
    ],
)
async def test_a_tool_asks_more_of_the_token(changed: dict[str, Any], answer: str) -> None:
    usual = {"scopes": ["orders:read", "orders:write"], "roles": ["admin"], "claims": {"acr": "mfa"}}
    async with _calling() as caller:
        await caller.initialize(_reader())
        answered = await caller.call(_reader(**(usual | changed)), "clear_orders", reason="stock-taking")

    assert answered.removeprefix("Error executing tool clear_orders: ") == answer


async def test_a_token_as_a_parameter_is_none_of_the_arguments() -> None:
    (tool,) = [tool for tool in await _server(ISSUER.verifier()).list_tools() if tool.name == "clear_orders"]

    assert list(tool.input_schema["properties"]) == ["reason"]


async def test_a_session_is_of_one_user() -> None:
    async with _calling() as caller:
        await caller.initialize(_reader())
        mallory = await caller.send(_reader(subject="mallory"), "tools/list")

    assert mallory.status_code == 404


async def test_the_sdk_sees_whose_token_it_is() -> None:
    async with _calling() as caller:
        await caller.initialize(_reader())
        seen = await caller.call(_reader(), "seen_by_the_sdk")

    assert seen["claims"].pop("iss") == ISSUER.issuer
    assert {name: seen[name] for name in ("client_id", "scopes", "subject", "resource")} == {
        "client_id": "test-client",
        "scopes": ["orders:read"],
        "subject": "alice",
        "resource": RESOURCE,
    }


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "nonsense",
        _reader(expired=True),
        _reader(tampered=True),
        _reader(alg="none"),
        _reader(audience="https://other.example.com"),
    ],
)
async def test_a_bad_token_is_401_and_points_to_the_metadata(token: str | None) -> None:
    async with _calling() as caller:
        answer = await caller.initialize(token)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"
    assert f'resource_metadata="{METADATA}"' in answer.headers["www-authenticate"]


async def test_a_scope_that_every_request_needs_is_403() -> None:
    async with _calling() as caller:
        answer = await caller.initialize(_reader(scopes=["orders:write"]))

    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"
    assert f'resource_metadata="{METADATA}"' in answer.headers["www-authenticate"]


async def test_an_issuer_that_is_away_is_503() -> None:
    async with _calling(ISSUER.verifier(issuer="http://127.0.0.1:9", keys=None)) as caller:
        answer = await caller.initialize(_reader())

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"


async def test_the_metadata_of_the_resource_names_issuer_and_scopes() -> None:
    async with _calling() as caller:
        metadata = (await caller.http.get(METADATA)).json()

    assert metadata["resource"] == RESOURCE
    assert metadata["authorization_servers"] == [ISSUER.issuer]
    assert metadata["scopes_supported"] == ["orders:read"]


async def test_an_audience_is_named_that_is_not_the_url() -> None:
    verifier = ISSUER.verifier(audience=["urn:orders", RESOURCE])
    accepted = await TokenVerifier(verifier, resource=RESOURCE).verify_token(_reader(audience="urn:orders"))

    assert accepted is not None
    assert accepted.resource == "urn:orders"


async def test_without_http_there_is_no_token() -> None:
    with pytest.raises(ToolError, match="This call needs an access token"):
        await _server(ISSUER.verifier()).call_tool("list_orders", {})
