"""What of the scope that a client asks for may be granted, and for which API."""

from collections.abc import Sequence

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.scope import OFFLINE_ACCESS, OPENID_SCOPES, Scope
from mapae.server.domain.clients import COMMAND_LINE, Client
from mapae.server.domain.resource_servers import ResourceServer, Target, UnknownScope, choose_target


def grantable(
    client: Client, asked: Scope, resource: str | None, servers: Sequence[ResourceServer], *, issuer: str
) -> Target:
    """The audience, and what of `asked` the client is registered for (OpenID Connect Core section 3.1.2.1: scopes that
    are not understood SHOULD be ignored).

    The audience is `resource` if it is named (RFC 8707), else the first resource server that has every scope of an API;
    without any, the issuer itself. Our own command line may ask for everything, and gets the first API's scopes if it
    asks for none.

    Raises:
        OAuthError: INVALID_TARGET when `resource` is no resource server; INVALID_SCOPE when nothing is left, or one
            token cannot carry it.
    """
    if resource is not None:
        servers = [server for server in servers if server.audience == resource]
        if not servers:
            raise OAuthError(ErrorCode.INVALID_TARGET, detail="no resource server of that audience")
    if client is COMMAND_LINE and not asked:
        return choose_target(servers, None, issuer=issuer)
    allowed = _registered(client, asked)
    if not allowed:
        raise OAuthError(ErrorCode.INVALID_SCOPE, detail="nothing that the client is registered for")
    of_api = [token for token in allowed if token not in OPENID_SCOPES]
    if not of_api:
        return Target(resource or issuer, allowed)
    try:
        return Target(choose_target(servers, of_api, issuer=issuer).audience, allowed)
    except UnknownScope:
        raise OAuthError(ErrorCode.INVALID_SCOPE, detail="no single API has all of this") from None


def _registered(client: Client, asked: Scope) -> tuple[str, ...]:
    registered = client.metadata.scope or OPENID_SCOPES
    return tuple(
        token
        for token in asked
        if (client is COMMAND_LINE or token in registered)
        and (token != OFFLINE_ACCESS or "refresh_token" in client.metadata.grant_types)
    )
