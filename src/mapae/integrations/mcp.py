"""Bearer tokens for servers of the Model Context Protocol, made with its Python SDK.

tokens = TokenVerifier(verifier, resource="https://mcp.example.com/mcp")
server = MCPServer("orders", token_verifier=tokens, auth=tokens.settings(scopes=["orders:read"]))

@server.tool()
def list_orders() -> list[str]:
    token = current_token("orders:read")

It is a resolver, too, for those who would rather have it as a parameter: `Annotated[AccessToken, Resolve(clearer)]`
with `def clearer() -> AccessToken: return current_token(needs=clearing)`.
"""

from collections.abc import Collection
from typing import Final

from mcp.server.auth import provider
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import PrivateAttr
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mapae.integrations.refusal import refusal
from mapae.verifier import NOTHING, AccessToken, Needs, RejectionCode, TokenRejected, Verifier


class _Accepted(provider.AccessToken):
    """The SDK's view of an access token, with ours inside, and with who verified it."""

    _verified: AccessToken = PrivateAttr()
    _verifier: Verifier = PrivateAttr()


class TokenVerifier(provider.TokenVerifier):
    """The SDK's `TokenVerifier`; the SDK answers 401 and 403, with a challenge that names the resource metadata.

    It publishes that metadata too (RFC 9728), from `settings()`. Tools see the token as `current_token()`, or with
    the SDK's own `get_access_token()`. The SDK takes no token past its `exp`, whatever the leeway.
    """

    def __init__(self, verifier: Verifier, *, resource: str) -> None:
        """
        Args:
            resource: the URL of the MCP server, which clients ask the issuer tokens for (RFC 8707)
        """
        self._verifier: Final = verifier
        self._resource: Final = resource

    async def verify_token(self, token: str) -> provider.AccessToken | None:
        """The token, or None when it is not valid.

        Raises:
            TokenRejected: KEYS_UNAVAILABLE; see `UnavailableMiddleware`.
        """
        try:
            verified = await self._verifier.averify(token)
        except TokenRejected as rejected:
            if rejected.code is RejectionCode.KEYS_UNAVAILABLE:
                raise
            return None
        accepted = _Accepted(
            token=token,
            client_id=verified.client_id,
            scopes=sorted(verified.scopes),
            expires_at=int(verified.expires_at),
            resource=self._resource if self._resource in verified.audience else verified.audience[0],
            subject=verified.subject,
            claims=dict(verified.claims),
        )
        accepted._verified, accepted._verifier = verified, self._verifier
        return accepted

    def settings(self, *, scopes: Collection[str] = ()) -> AuthSettings:
        """The SDK's settings for a resource server whose tokens come from the issuer of the verifier.

        Args:
            scopes: what every request needs
        """
        return AuthSettings.model_validate(
            {
                "issuer_url": self._verifier.issuer,
                "resource_server_url": self._resource,
                "required_scopes": list(scopes) or None,
                "validate_token_resource": False,  # the verifier has checked the audience
            }
        )


class UnavailableMiddleware:
    """Answers 503 while the keys of the issuer cannot be had, which the SDK has no word for.

    app = server.streamable_http_app()
    app.add_middleware(UnavailableMiddleware)
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except TokenRejected as rejected:
            answer = refusal(rejected, realm="mcp", resource_metadata=None)
            response = Response(answer.body, answer.status, answer.headers, "application/json")
            await response(scope, receive, send)


def current_token(*scopes: str, needs: Needs = NOTHING) -> AccessToken:
    """The access token of the request that a tool, resource or prompt is serving.

    Raises:
        ToolError: there is none, it does not have all of `scopes`, or it is not good for `needs`. The text is for the
            client: it says what would do as the challenges of RFC 6750 and RFC 9470 do, by then too late to be sent.
    """
    accepted = get_access_token()
    if not isinstance(accepted, _Accepted):
        raise ToolError(RejectionCode.MISSING.description)
    try:
        accepted._verifier.recheck(accepted._verified, needs.with_scopes(scopes))
    except TokenRejected as rejected:
        needed = ", ".join(f'{name}="{value}"' for name, value in rejected.needed.items())
        raise ToolError(rejected.description + (f" It needs: {needed}" if needed else "")) from rejected
    return accepted._verified
