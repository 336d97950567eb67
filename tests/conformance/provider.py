"""The server under test, as the suite knows it: an issuer, a configuration, and a clock that can be turned."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import KeySet

#: Moments that pass as time does, by table.
_MOMENTS = {
    "sessions": ("created_at", "expires_at", "authenticated_at"),
    "families": ("auth_time", "expires_at", "used_at", "handed_out_at"),
    "codes": ("auth_time", "expires_at", "redeemed_at"),
    "consents": ("granted_at",),
}


@dataclass(frozen=True)
class Provider:
    """A running server. `config` is the suite's configuration; `http` is how the suite calls, over TLS."""

    issuer: str
    config: Mapping[str, Any]
    database: Path
    http: httpx.Client

    def discovery(self) -> httpx.Response:
        """The answer of `server.discoveryUrl`."""
        return self.http.get(self.config["server"]["discoveryUrl"])

    def metadata(self) -> dict[str, Any]:
        """What the server says of itself."""
        members: dict[str, Any] = self.discovery().json()
        return members

    def keys(self) -> KeySet:
        """The key set of `jwks_uri`."""
        return KeySet.import_key_set(self.http.get(self.metadata()["jwks_uri"]).json())

    def wait(self, seconds: int) -> None:
        """Let so much time pass: for the server, what has happened is longer ago."""
        with sqlite3.connect(self.database, timeout=10) as connection:
            for table, columns in _MOMENTS.items():
                moved = ", ".join(f"{column} = {column} - {seconds}" for column in columns)
                connection.execute(f"UPDATE {table} SET {moved}")
        connection.close()
