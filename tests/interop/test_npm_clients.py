"""The clients of npm: openid-client and oauth4webapi, certified relying parties."""

from collections.abc import Callable
from pathlib import Path

from tests.interop.conftest import API, CALLBACK, SECRET, SIGNED_OUT, Provider, converse


def test_openid_client_lives_a_whole_session(
    provider: Provider, visit: Callable[[str], str], node_modules: Path
) -> None:
    told = {
        "issuer": provider.issuer,
        "clientId": "web",
        "clientSecret": SECRET,
        "redirectUri": CALLBACK,
        "afterLogout": SIGNED_OUT,
        "scope": "openid profile email offline_access orders:read",
    }
    said = converse("openid_client.mjs", told, visit)
    assert said["userinfo"]["email"] == "alice@example.com"
    assert said["userinfo"]["name"] == "Alice Example"
    assert said["userinfo"]["sub"] == said["claims"]["sub"] == said["renewedSubject"]
    assert said["claims"]["auth_time"] <= said["claims"]["iat"]
    assert said["turned"]
    assert said["alive"]["active"]
    assert said["alive"]["client_id"] == "web"
    assert said["revoked"] == {"active": False}
    assert said["refused"] == "invalid_grant"
    assert said["loggedOut"]


def test_oauth4webapi_without_a_secret_and_with_a_private_key(
    provider: Provider, visit: Callable[[str], str], node_modules: Path
) -> None:
    told = {
        "issuer": provider.issuer,
        "publicClientId": "browser-app",
        "redirectUri": CALLBACK,
        "scope": "openid profile email offline_access",
        "keyClientId": "service",
        "privateKey": provider.key.to_dict(),
        "resource": API,
    }
    said = converse("oauth4webapi.mjs", told, visit)
    assert said["userinfo"]["email"] == "alice@example.com"
    assert said["turned"]
    assert said["introspected"]["active"]
    assert said["introspected"]["scope"] == "orders:read"
    assert said["atTheApi"]["client_id"] == said["atTheApi"]["sub"] == "service"
