"""What a client is granted of what it asks for: for users, and in its own name."""

import pytest

from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope
from mapae.server.domain.clients import COMMAND_LINE, Client
from mapae.server.domain.granting import grantable, own_target
from mapae.server.domain.resource_servers import ResourceServer, Target

ISSUER = "https://auth.example.com"
ORDERS = ResourceServer("https://orders.example.com", ("orders:read", "orders:write", "shared"))
STOCK = ResourceServer("https://stock.example.com", ("stock:read", "shared"))
SERVERS = (ORDERS, STOCK)


def client(scope: str, *grant_types: str) -> Client:
    registered = Scope.parse(scope) if scope else NO_SCOPE
    return Client("web", ClientMetadata(scope=registered, grant_types=grant_types or ("authorization_code",)))


@pytest.mark.parametrize(
    ("registered", "asked", "resource", "target"),
    [
        ("orders:read", "orders:read", None, Target(ORDERS.audience, ("orders:read",))),
        ("shared", "shared", None, Target(ORDERS.audience, ("shared",))),
        ("shared", "shared", STOCK.audience, Target(STOCK.audience, ("shared",))),
        (
            "stock:read orders:read orders:write",
            None,
            None,
            Target(ORDERS.audience, ("orders:read", "orders:write")),
        ),
        ("stock:read orders:read", None, STOCK.audience, Target(STOCK.audience, ("stock:read",))),
        ("openid orders:read", None, None, Target(ORDERS.audience, ("orders:read",))),
        ("openid", None, None, Target(ISSUER, ())),
        ("", None, None, Target(ISSUER, ())),
        ("orders:read", "orders:write", None, ErrorCode.INVALID_SCOPE),
        ("orders:read stock:read", "orders:read stock:read", None, ErrorCode.INVALID_SCOPE),
        ("orders:read", "orders:read", STOCK.audience, ErrorCode.INVALID_SCOPE),
        ("openid", "openid", None, ErrorCode.INVALID_SCOPE),
        ("gone", "gone", None, ErrorCode.INVALID_SCOPE),
        ("orders:read", None, STOCK.audience, ErrorCode.INVALID_TARGET),
        ("orders:read", None, "https://nowhere.example.com", ErrorCode.INVALID_TARGET),
        ("", None, ISSUER, ErrorCode.INVALID_TARGET),
    ],
)
def test_in_its_own_name_a_client_gets_scopes_of_one_api_that_it_is_registered_for(
    registered: str, asked: str | None, resource: str | None, target: Target | ErrorCode
) -> None:
    scope = None if asked is None else Scope.parse(asked)
    if isinstance(target, Target):
        assert own_target(client(registered), scope, resource, SERVERS, issuer=ISSUER) == target
    else:
        with pytest.raises(OAuthError) as refused:
            own_target(client(registered), scope, resource, SERVERS, issuer=ISSUER)
        assert refused.value.code is target


@pytest.mark.parametrize(
    ("registered", "asked", "resource", "target"),
    [
        ("openid email", "openid email nonsense", None, Target(ISSUER, ("openid", "email"))),
        ("", "openid profile", None, Target(ISSUER, ("openid", "profile"))),
        (
            "openid orders:read",
            "openid orders:read",
            None,
            Target(ORDERS.audience, ("openid", "orders:read")),
        ),
        ("openid", "openid", STOCK.audience, Target(STOCK.audience, ("openid",))),
        ("openid offline_access", "openid offline_access", None, Target(ISSUER, ("openid",))),
        ("", "orders:read", None, ErrorCode.INVALID_SCOPE),
        ("openid", "nonsense", None, ErrorCode.INVALID_SCOPE),
        ("orders:read stock:read", "orders:read stock:read", None, ErrorCode.INVALID_SCOPE),
        ("openid", "openid", "https://nowhere.example.com", ErrorCode.INVALID_TARGET),
    ],
)
def test_for_a_user_it_gets_what_it_is_registered_for_of_what_it_asks(
    registered: str, asked: str, resource: str | None, target: Target | ErrorCode
) -> None:
    if isinstance(target, Target):
        assert grantable(client(registered), Scope.parse(asked), resource, SERVERS, issuer=ISSUER) == target
    else:
        with pytest.raises(OAuthError) as refused:
            grantable(client(registered), Scope.parse(asked), resource, SERVERS, issuer=ISSUER)
        assert refused.value.code is target


def test_offline_access_is_for_clients_that_may_refresh() -> None:
    renewing = client("openid offline_access", "authorization_code", "refresh_token")
    target = grantable(renewing, Scope.parse("openid offline_access"), None, SERVERS, issuer=ISSUER)
    assert target.scopes == ("openid", "offline_access")


def test_our_own_command_line_may_ask_for_everything_and_gets_the_first_api_if_it_asks_for_nothing() -> None:
    asked = Scope.parse("openid stock:read")
    assert grantable(COMMAND_LINE, asked, None, SERVERS, issuer=ISSUER) == Target(
        STOCK.audience, asked.tokens
    )
    assert grantable(COMMAND_LINE, NO_SCOPE, None, SERVERS, issuer=ISSUER) == Target(
        ORDERS.audience, ORDERS.scopes
    )
