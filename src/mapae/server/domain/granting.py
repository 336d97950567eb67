"""What of the scope that a client asks for may be granted, and for which API."""

from collections.abc import Collection, Sequence

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.scope import OFFLINE_ACCESS, OPENID_SCOPES, Scope
from mapae.server.domain.clients import COMMAND_LINE, Client
from mapae.server.domain.resource_servers import ResourceServer, Target, choose_target


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
    servers = _named(servers, resource)
    if client is COMMAND_LINE and not asked:
        return choose_target(servers, None, issuer=issuer)
    allowed = _registered(client, asked)
    if not allowed:
        raise OAuthError(ErrorCode.INVALID_SCOPE, detail="nothing that the client is registered for")
    of_api = [token for token in allowed if token not in OPENID_SCOPES]
    if not of_api:
        return Target(resource or issuer, allowed)
    return Target(_with_all(servers, of_api).audience, allowed)


def own_target(
    client: Client,
    asked: Scope | None,
    resource: str | None,
    servers: Sequence[ResourceServer],
    *,
    issuer: str,
) -> Target:
    """The audience and the scopes that a client gets in its own name: of one API, and registered for it.

    Without `asked`, all that it is registered for at `resource`, else at the first API where that is anything; for a
    client that is registered for nothing, the issuer itself. The scopes of OpenID Connect are about users.

    Raises:
        OAuthError: INVALID_SCOPE when it asks for what it is not registered for, or one token cannot carry it;
            INVALID_TARGET when `resource` is no resource server, or none that it is registered for.
    """
    servers = _named(servers, resource)
    registered = [token for token in client.metadata.scope if token not in OPENID_SCOPES]
    if asked is not None:
        if not set(asked) <= set(registered):
            raise OAuthError(ErrorCode.INVALID_SCOPE, detail="not what the client is registered for")
        return Target(_with_all(servers, asked.tokens).audience, asked.tokens)
    for server in servers:
        if scopes := tuple(token for token in registered if token in server.scopes):
            return Target(server.audience, scopes)
    if resource is not None:
        raise OAuthError(ErrorCode.INVALID_TARGET, detail="the client is registered for nothing there")
    return Target(issuer, ())


def _named(servers: Sequence[ResourceServer], resource: str | None) -> Sequence[ResourceServer]:
    if resource is None:
        return servers
    named = [server for server in servers if server.audience == resource]
    if not named:
        raise OAuthError(ErrorCode.INVALID_TARGET, detail="no resource server of that audience")
    return named


def _with_all(servers: Sequence[ResourceServer], scopes: Collection[str]) -> ResourceServer:
    for server in servers:
        if set(scopes) <= set(server.scopes):
            return server
    raise OAuthError(ErrorCode.INVALID_SCOPE, detail="no single API has all of this")


def _registered(client: Client, asked: Scope) -> tuple[str, ...]:
    registered = client.metadata.scope or OPENID_SCOPES
    return tuple(
        token
        for token in asked
        if (client is COMMAND_LINE or token in registered)
        and (token != OFFLINE_ACCESS or "refresh_token" in client.metadata.grant_types)
    )
