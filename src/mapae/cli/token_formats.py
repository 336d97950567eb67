"""The forms in which programs take an access token. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from mapae.cli.claims import claims_of, origins_in
from mapae.cli.errors import CommandFailed, ExitCode

#: The user name by which servers that know only Basic take a password for an access token.
NETRC_LOGIN: Final = "oauth2"


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token.

    Attributes:
        expires_at: its end in NumericDate seconds by the clock of this machine; None when nobody knows.
    """

    token: str
    expires_at: int | None


def raw(issued: Issued) -> str:
    """The token and nothing else."""
    return issued.token


def header(issued: Issued) -> str:
    """The request header (RFC 6750 section 2.1)."""
    return f"Authorization: Bearer {issued.token}"


def as_json(issued: Issued) -> str:
    """A JSON object; `expires_at` is null when nobody knows it."""
    return _compact({"access_token": issued.token, "token_type": "Bearer", "expires_at": issued.expires_at})


def exec_credential(issued: Issued) -> str:
    """What kubectl and other clients of Kubernetes want of a credential plugin (client.authentication.k8s.io/v1)."""
    status: dict[str, Any] = {"token": issued.token}
    if issued.expires_at is not None:
        end = datetime.fromtimestamp(issued.expires_at, UTC)
        status["expirationTimestamp"] = f"{end:%Y-%m-%dT%H:%M:%SZ}"
    return _compact(
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    )


def netrc(issued: Issued) -> str:
    """A line of .netrc for each host the token is meant for: of its audience, or else of its issuer.

    Raises:
        CommandFailed: it names none.
    """
    claims = claims_of(issued.token)
    origins = origins_in(claims.get("aud")) or origins_in(claims.get("iss"))
    hosts = sorted({urlsplit(origin).hostname or "" for origin in origins})
    if not hosts:
        raise CommandFailed("the token names no host it is meant for; use another format", ExitCode.USAGE)
    return "\n".join(f"machine {host} login {NETRC_LOGIN} password {issued.token}" for host in hosts)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


FORMATS: Final[Mapping[str, Callable[[Issued], str]]] = {
    "raw": raw,
    "header": header,
    "json": as_json,
    "exec-credential": exec_credential,
    "netrc": netrc,
}
