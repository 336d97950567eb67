"""Our client at our own server through its OAuth endpoints and pages, with a person at a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mapae import Verifier
from mapae.client import FileStore, LoginRequired, Session
from mapae.client.oauth import OAuthClient, OAuthServer, Secret
from tests.journeys.person import browse
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started

API = "https://api.example.com"
PASSWORD = "correct horse battery staple"
SECRET = "a secret: with signs, and long enough for anybody"
NATIVE = OAuthClient("native", scope="openid offline_access orders:read")
SETUP = f"""
[[users]]
username = "alice"
password = "{PASSWORD}"

[[resource_servers]]
audience = "{API}"
scopes = ["orders:read"]

[[clients]]
client_id = "native"
application_type = "native"
redirect_uris = ["http://127.0.0.1/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid offline_access orders:read"

[[clients]]
client_id = "service"
client_secret = "{SECRET}"
grant_types = ["client_credentials"]
scope = "orders:read"
"""


def sign_in(url: str) -> None:
    """Somebody signs in as alice, and agrees to what is asked."""
    page = browse(url, {"username": "alice", "password": PASSWORD})
    assert page.url.path == "/callback", page.url


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[str]:
    """A server with a user and two clients."""
    folder, port = tmp_path_factory.mktemp("by-oauth"), free_port()
    database, issuer = folder / "mapae.db", f"http://127.0.0.1:{port}"
    database.write_bytes(sqlite_template.read_bytes())
    environ = environment(
        MAPAE_ISSUER=issuer,
        MAPAE_DATABASE_URL=f"sqlite:///{database}",
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        MAPAE_REFRESH_GRACE="0",
    )
    setup = folder / "setup.toml"
    setup.write_text(SETUP)
    mapae("apply", str(setup), environ=environ)
    command = (MAPAE, "serve", "--port", str(port))
    with started(command, environ=environ, ready=f"{issuer}/health/ready", log=folder / "log"):
        yield issuer


def test_a_person_signs_in_and_out_by_the_pages(issuer: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "home" / "session.json")
    session = OAuthServer(issuer, NATIVE, store).login_with_browser(sign_in)
    verifier = Verifier(issuer=issuer, audience=API)

    first = verifier.verify(session.token())
    assert (first.client_id, first.scopes >= {"orders:read"}) == ("native", True)
    turns = [session.refresh() for _ in range(3)]
    assert len(set(turns)) == 3
    assert verifier.verify(turns[-1]).subject == first.subject
    assert Session.load(issuer, store=store).token() == turns[-1]

    kept = store.read()
    session.logout()
    assert kept is not None
    store.write(kept)
    with pytest.raises(LoginRequired) as caught:
        Session.load(issuer, store=store).refresh()
    assert caught.value.reason == "logged_out"


def test_a_service_signs_in_by_its_secret(issuer: str) -> None:
    client = OAuthClient("service", Secret(SECRET), scope="orders:read")
    session = OAuthServer(issuer, client).login_as_client()

    raw = session.token()
    token = Verifier(issuer=issuer, audience=API).verify(raw)
    assert (token.client_id, token.scopes) == ("service", frozenset({"orders:read"}))
    assert session.refresh() != raw
