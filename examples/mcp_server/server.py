"""The server: two tools behind a scope, and one that asks more of the token."""

from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette

from mapae import Verifier
from mapae.integrations.mcp import TokenVerifier, UnavailableMiddleware, current_token
from mapae.verifier import Needs

_items: list[tuple[str, str]] = []


def orders_app(verifier: Verifier, resource: str) -> Starlette:
    """The application. `resource` is the URL at which clients reach it."""
    tokens = TokenVerifier(verifier, resource=resource)
    server = MCPServer("orders", token_verifier=tokens, auth=tokens.settings(scopes=["orders:read"]))
    server.add_tool(list_orders)
    server.add_tool(add_order)
    server.add_tool(clear_orders)
    app = server.streamable_http_app(json_response=True)
    app.add_middleware(UnavailableMiddleware)
    return app


def list_orders() -> list[str]:
    """List your orders."""
    token = current_token("orders:read")
    return [item for owner, item in _items if owner == token.subject or "admin" in token.roles]


def add_order(item: str) -> str:
    """Order something."""
    _items.append((current_token("orders:write").subject, item))
    return f"ordered: {item}"


def clear_orders() -> str:
    """Forget all orders: for an administrator who has signed in just now."""
    current_token("orders:write", needs=Needs(roles=["admin"], fresh_s=300))
    _items.clear()
    return "cleared"
