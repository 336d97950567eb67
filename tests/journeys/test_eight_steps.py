"""The path of token authentication, end to end: three parts in processes of their own, over real sockets."""

import asyncio
import json
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from mapae.client import FileStore, LoginRequired, Session
from mapae.jose import base64url
from mapae.testing import Issuer
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started
from tests.postgres import throw_away_cluster

PASSWORD = "correct horse battery staple"
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
ACCESS_TOKEN_LIFE_S = 4

SETUP = """
[[users]]
username = "alice"
password = "{password}"
email = "alice@example.com"
roles = ["member"]

[[users]]
username = "bob"
password = "{password}"
roles = ["member"]

[[users]]
username = "inspector"
password = "{password}"
roles = ["admin"]

[[resource_servers]]
audience = "{audience}"
scopes = ["orders:read", "orders:write"]
"""

Say = Callable[[str], None]


@dataclass
class World:
    """A server with its database and the sample API, each in a process of its own."""

    issuer: str
    api: str
    environ: dict[str, str]
    home: Path
    rows: Callable[[str], list[tuple[Any, ...]]]
    stop_server_and_database: Callable[[], None]

    def login(self, username: str, device: str = "test") -> Session:
        store = FileStore(self.home / f"{username}-{device}.json")
        return Session.login(self.issuer, username, PASSWORD, device_name=device, store=store)


@pytest.fixture
def say() -> Say:
    """What the person who runs the tests is told at their end, see tests/conftest.py."""
    return print


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    server_port, api_port = free_port(), free_port()
    issuer, api = f"http://127.0.0.1:{server_port}", f"http://127.0.0.1:{api_port}"
    setup = tmp_path / "setup.toml"
    setup.write_text(SETUP.format(password=PASSWORD, audience=api))
    with ExitStack() as stack, ExitStack() as database:
        if request.param == "sqlite":
            file = tmp_path / "mapae.db"
            url, rows = f"sqlite:///{file}", _sqlite_rows(file)
            # What is left of the database afterwards is a file that nobody opens any more.
            database.callback(lambda: file.rename(tmp_path / "away.db"))
        else:
            cluster = database.enter_context(throw_away_cluster())
            url, rows = cluster.url(), _postgresql_rows(cluster.url())
        environ = environment(
            MAPAE_ISSUER=issuer,
            MAPAE_DATABASE_URL=url,
            MAPAE_SECRET_KEY=SECRET_KEY,
            MAPAE_ACCESS_TOKEN_LIFE=str(ACCESS_TOKEN_LIFE_S),
            MAPAE_REFRESH_GRACE="1",
        )
        mapae("migrate", environ=environ)
        mapae("apply", str(setup), environ=environ)
        server = stack.enter_context(ExitStack())
        server.enter_context(
            started(
                [MAPAE, "serve", "--port", str(server_port)],
                environ=environ,
                ready=f"{issuer}/health/ready",
                log=tmp_path / "server.log",
            )
        )
        stack.enter_context(
            started(
                [
                    sys.executable, "-m", "examples.orders_api", "--issuer", issuer,
                    "--audience", api, "--port", str(api_port), "--leeway", "0",
                ],
                environ=environment(),
                ready=f"{api}/orders",
                log=tmp_path / "api.log",
            )
        )  # fmt: skip

        def stop_server_and_database() -> None:
            server.close()
            database.close()

        yield World(issuer, api, environ, tmp_path, rows, stop_server_and_database)


def test_the_eight_steps(world: World, say: Say) -> None:
    alice = world.login("alice")
    say("1. alice signed in with user name and password")

    access_token = alice.token(min_life=0)
    _the_token_says_who_and_what(access_token, world)
    _the_database_holds_the_session_and_nothing_usable(world, access_token)
    say(f"2. the server answered with an access token ({len(access_token)} bytes) and a refresh token")

    file = world.home / "alice-test.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert access_token in file.read_text()
    say(f"3. the client keeps both in a file of mode {stat.S_IMODE(file.stat().st_mode):o}")

    with httpx.Client(auth=alice.auth(world.api), base_url=world.api) as http:
        assert http.post("/orders", json={"item": "a horse"}).status_code == 201
        sent = http.get("/orders").request.headers["Authorization"]
    assert sent.startswith("Bearer ")
    say("4. each request to the API carries Authorization: Bearer …")

    _a_member_sees_their_own_and_an_admin_sees_all(world, say)
    _the_client_renews_by_itself(world, alice, say)
    _the_end_is_told(world, say)
    _what_is_not_a_token_of_ours_is_refused(world, alice, say)
    _the_api_goes_on_alone(world, alice, say)


def _the_token_says_who_and_what(access_token: str, world: World) -> None:
    header, claims = (json.loads(base64url.decode(part)) for part in access_token.split(".")[:2])
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    assert (claims["iss"], claims["aud"]) == (world.issuer, world.api)
    assert (claims["scope"], claims["roles"]) == ("orders:read orders:write", ["member"])
    assert claims["exp"] - claims["iat"] == ACCESS_TOKEN_LIFE_S


def _the_database_holds_the_session_and_nothing_usable(world: World, access_token: str) -> None:
    ((username, turn),) = world.rows(
        "SELECT username, turn FROM users JOIN sessions ON user_id = users.id"
        " JOIN families ON session_id = sessions.id"
    )
    assert (username, turn) == ("alice", 0)
    kept = json.loads((world.home / "alice-test.json").read_text())
    refresh_token = kept["tokens"]["refresh_token"]
    everything = repr(
        [
            world.rows(f"SELECT * FROM {table}")
            for table in ("users", "sessions", "families", "keys", "events")
        ]
    )
    assert refresh_token[4:] not in everything
    assert access_token.split(".")[2] not in everything
    assert PASSWORD not in everything


def _a_member_sees_their_own_and_an_admin_sees_all(world: World, say: Say) -> None:
    bob, inspector = world.login("bob"), world.login("inspector")
    seen = {}
    for name, session in (("bob", bob), ("inspector", inspector)):
        with httpx.Client(auth=session.auth(world.api), base_url=world.api) as http:
            if name == "bob":
                http.post("/orders", json={"item": "a saddle"})
            seen[name] = [order["item"] for order in http.get("/orders").json()["orders"]]
    assert seen == {"bob": ["a saddle"], "inspector": ["a horse", "a saddle"]}
    say("6. the API answers from what the token says: bob sees his order, an admin sees all")


def _the_client_renews_by_itself(world: World, alice: Session, say: Say) -> None:
    before = alice.token(min_life=0)
    _until_the_api_refuses(world, before)
    with httpx.Client(auth=alice.auth(world.api), base_url=world.api) as http:
        answer = http.post("/orders", json={"item": "a second horse"})
    assert answer.status_code == 201
    kept = json.loads((world.home / "alice-test.json").read_text())
    assert kept["tokens"]["access_token"] == alice.token(min_life=0) != before
    assert world.rows("SELECT max(turn) FROM families")[0][0] >= 1
    say("7. the access token expired; the client renewed it, stored the new pair and repeated the request")


def _the_end_is_told(world: World, say: Say) -> None:
    ends = {
        "logged_out": lambda: world.login("alice", "logged_out").logout("others"),
        "password_changed": lambda: mapae(
            "user", "password", "alice", "--password-stdin", environ=world.environ, text=f"{PASSWORD}\n"
        ),
        "expired": lambda: world.rows("UPDATE families SET expires_at = used_at"),
        "replayed": None,
    }
    told = []
    for reason, end in ends.items():
        session = world.login("alice", f"to be {reason}")
        file = world.home / f"alice-to be {reason}.json"
        if end:
            end()
        else:
            _use_elsewhere(world, json.loads(file.read_text())["tokens"]["refresh_token"])
        with pytest.raises(LoginRequired) as required:
            session.refresh()
        told.append(required.value.reason)
        assert "refresh_token" not in file.read_text()
        assert "eyJ" not in file.read_text()
    assert told == list(ends)
    say(f"8. the session ended, the server said why ({', '.join(told)}), the client deleted its tokens")


def _what_is_not_a_token_of_ours_is_refused(world: World, alice: Session, say: Say) -> None:
    good = world.login("alice", "again").token(min_life=0)
    header, claims, signature = good.split(".")
    foreign = Issuer(audience=world.api)
    bad = {
        "tampered": f"{header}.{claims[:-2]}{'A' if claims[-2] != 'A' else 'B'}{claims[-1]}.{signature}",
        "of another issuer": foreign.token(subject="alice"),
        "alg none": foreign.token(alg="none"),
    }
    for name, token in bad.items():
        answer = httpx.get(f"{world.api}/orders", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, name
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"], name
    missing = httpx.get(f"{world.api}/orders")
    assert missing.status_code == 401
    assert missing.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error" not in missing.headers["WWW-Authenticate"]
    say(f"   a token that is {', '.join(bad)} is refused with 401 and a challenge")


def _the_api_goes_on_alone(world: World, alice: Session, say: Say) -> None:
    token = world.login("bob", "last").token(min_life=0)
    headers = {"Authorization": f"Bearer {token}"}
    world.stop_server_and_database()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{world.issuer}/health/live")
    answer = httpx.get(f"{world.api}/orders", headers=headers)
    assert [order["item"] for order in answer.json()["orders"]] == ["a saddle"]
    say("5. server and database are stopped; the API still checks tokens, and answers")


def _until_the_api_refuses(world: World, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(200 * ACCESS_TOKEN_LIFE_S):
        answer = httpx.get(f"{world.api}/orders", headers=headers)
        if answer.status_code == 401:
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            return
    raise AssertionError("the API took a token for longer than it lives")


def _use_elsewhere(world: World, refresh_token: str) -> None:
    answer = httpx.post(f"{world.issuer}/auth/refresh", json={"refresh_token": refresh_token})
    assert answer.status_code == 401


def _sqlite_rows(file: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    def rows(query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(file)
        try:
            with connection:
                return connection.execute(query).fetchall()
        finally:
            connection.close()

    return rows


def _postgresql_rows(url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    def rows(query: str) -> list[tuple[Any, ...]]:
        async def run() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(url)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return asyncio.run(run())

    return rows
