"""An operator at a shell whose settings name one database, and the users who sign in to it."""

import asyncio
import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from mapae.cli.main import main
from mapae.server.app import build
from mapae.server.settings import load_settings
from tests.server.http.conftest import ISSUER, SECRET_KEY, running

CHEAP = {"MAPAE_ARGON2_MEMORY_KIB": "7168", "MAPAE_ARGON2_TIME_COST": "5"}


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    out: str
    err: str


@dataclass(frozen=True)
class Operator:
    """Runs `mapae` within this process."""

    environ: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, stdin: str = "", code: int = 0) -> Said:
        """Run a command, which has to end with this exit code; a failure is one line on stderr."""
        with self.monkeypatch.context() as patch:
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.setattr("sys.argv", ["mapae", *arguments])
            patch.setattr("sys.stdin", io.StringIO(stdin))
            ended = main()
        said = Said(*self.capsys.readouterr())
        assert ended == code, said
        assert said.err.count("\n") == (1 if code else 0), said
        return said

    def call(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Call the server of this database."""

        async def run() -> httpx.Response:
            app = build(load_settings(self.environ))
            transport = httpx.ASGITransport(app, client=("192.0.2.7", 4711))
            async with running(app), httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
                return await http.post(path, json=body)

        answer = asyncio.run(run())
        self.capsys.readouterr()  # the server's log is nothing a command said
        return answer

    def login(self, username: str, password: str) -> httpx.Response:
        """Sign in as a user does."""
        body = {"username": username, "password": password, "device_name": "a phone"}
        return self.call("/auth/login", body)

    def why_ended(self, refresh_token: str) -> str | None:
        """The reason for which the session of this token is over; None while it is not."""
        reason: str | None = self.call("/auth/refresh", {"refresh_token": refresh_token}).json().get("reason")
        return reason


def operator_of(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """An operator whose settings are complete."""
    environ = {
        "MAPAE_ISSUER": ISSUER,
        "MAPAE_SECRET_KEY": SECRET_KEY,
        "MAPAE_DATABASE_URL": database_url,
        **CHEAP,
    }
    return Operator(environ, monkeypatch, capsys)
