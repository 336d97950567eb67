"""A server in a process of its own, and bytes to throw at it."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from tests.journeys.processes import MAPAE, environment, free_port, mapae, started

PASSWORD = "correct horse battery staple"
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
LOGIN = json.dumps({"username": "alice", "password": PASSWORD}).encode()
CLIENT_SECRET = "a secret of a service"
SETUP = f"""
[[users]]
username = "alice"
password = "{PASSWORD}"
roles = ["member"]

[[resource_servers]]
audience = "https://api.example.com"
scopes = ["orders:read"]

[[clients]]
client_id = "service"
client_secret = "{CLIENT_SECRET}"
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
redirect_uris = ["https://app.example.com/callback"]
scope = "orders:read"
id_token_signed_response_alg = "ES256"
"""

#: Seconds after which an answer does not come any more. Far more than any answer takes.
PATIENCE_S = 20


@dataclass(frozen=True)
class Answer:
    """One answer of the server as it stood on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The stable code of a problem document."""
        assert self.headers["content-type"] == "application/problem+json", self
        code: str = json.loads(self.body)["code"]
        return code


@dataclass(frozen=True)
class Victim:
    """Where the server listens, and the file its log goes to."""

    port: int
    log: Path

    @property
    def issuer(self) -> str:
        """Its issuer identifier."""
        return f"http://127.0.0.1:{self.port}"

    def send(self, data: bytes) -> list[Answer]:
        """The answers to these bytes on a connection of their own, up to where the server closes it.

        A server that keeps the connection is asked to close it by one more request, whose answer is left out.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough
                connection.sendall(data + FAREWELL)
            answers = list(_answers(_until_closed(connection), to_head=data.startswith(b"HEAD ")))
        return answers[:-1] if answers and answers[-1].status == FAREWELL_STATUS else answers

    def ask(self, data: bytes) -> Answer:
        """The one answer to these bytes."""
        (answer,) = self.send(data)
        return answer

    def first_answer(self, data: bytes) -> Answer:
        """The first answer to these bytes, whether or not the server goes on to read."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.sendall(data)
            response = HTTPResponse(connection)
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())

    def is_well(self) -> bool:
        """Whether it still answers, and has not met an error that nobody foresaw."""
        live = self.ask(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        written = self.log.read_text()
        return live.status == 200 and "Traceback" not in written and "server_error" not in written


#: Its answer is known from the others by its status, with which no attack's last answer ends.
FAREWELL = b"GET /farewell HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FAREWELL_STATUS = 404


def post(path: str, body: bytes, *headers: str, framing: str | None = None) -> bytes:
    """A request with a body; `framing` in place of the Content-Length that is right."""
    length = framing or f"Content-Length: {len(body)}"
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", length, *headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def get(path: str, *headers: str) -> bytes:
    """A request without a body."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers]).encode("latin-1") + b"\r\n\r\n"


def in_chunks(body: bytes, size: int = 1024) -> bytes:
    """A body in the chunked coding (RFC 9112 section 7.1)."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@contextmanager
def victim_process(folder: Path, **settings: str) -> Iterator[Victim]:
    """A server with one user, which logs all it can."""
    port = free_port()
    environ = environment(
        MAPAE_ISSUER=f"http://127.0.0.1:{port}",
        MAPAE_DATABASE_URL=f"sqlite:///{folder / 'mapae.db'}",
        MAPAE_SECRET_KEY=SECRET_KEY,
        MAPAE_LOG_LEVEL="debug",
        **settings,
    )
    setup = folder / "setup.toml"
    setup.write_text(SETUP)
    mapae("migrate", environ=environ)
    mapae("apply", str(setup), environ=environ)
    victim = Victim(port, folder / "log")
    command = (MAPAE, "serve", "--port", str(port))
    with started(command, environ=environ, ready=f"{victim.issuer}/health/ready", log=victim.log):
        yield victim


def tokens_of(victim: Victim, *headers: str) -> dict[str, Any]:
    """What alice gets when she signs in."""
    answer = victim.ask(post("/auth/login", LOGIN, *headers))
    assert answer.status == 200, answer
    tokens: dict[str, Any] = json.loads(answer.body)
    return tokens


def _until_closed(connection: socket.socket) -> bytes:
    received = bytearray()
    with suppress(ConnectionResetError):  # closed while bytes of ours were still on their way
        while piece := connection.recv(65536):
            received += piece
    return bytes(received)


def _answers(stream: bytes, *, to_head: bool) -> Iterator[Answer]:
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = 0 if to_head else int(headers.get("content-length", "0"))
        to_head = False
        yield Answer(int(status_line.split()[1]), headers, rest[:length])
        stream = rest[length:]
