"""An issuer on this machine whose answers a test chooses."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet

Answer = Callable[["Request"], None]

METADATA = "/.well-known/openid-configuration"
OAUTH_METADATA = "/.well-known/oauth-authorization-server"
KEYS = "/.well-known/jwks.json"


class Request(BaseHTTPRequestHandler):
    """One request, with the ways to answer it."""

    server: "_Server"

    def do_GET(self) -> None:
        """Answer as the test has chosen for this path."""
        issuer = self.server.issuer
        issuer.requests.append(self.path)
        with suppress(OSError):
            issuer.answers.get(self.path, not_found)(self)

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: tests are quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    issuer: "LoopbackIssuer"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients under test hang up in the middle."""


class LoopbackIssuer:
    """What it answers (`answers`, by path) and what it was asked (`requests`).

    Attributes:
        released: set at the end; answers that hang wait for it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.released = threading.Event()

    def publish(self, *keys: Jwk, cache_control: str = "") -> None:
        """Answer as an issuer with these keys does."""
        headers = {"Cache-Control": cache_control} if cache_control else {}
        self.answers[METADATA] = document({"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"})
        self.answers[KEYS] = document(JwkSet(key.public() for key in keys).to_dict(), headers=headers)

    def hang(self, request: Request) -> None:
        """An answer that does not come."""
        self.released.wait(30)

    @property
    def key_fetches(self) -> int:
        """How often the keys were asked for."""
        return self.requests.count(KEYS)


@contextmanager
def loopback_issuer() -> Iterator[LoopbackIssuer]:
    """An issuer that answers 404 to everything until the test says otherwise."""
    server = _Server(("127.0.0.1", 0), Request)
    issuer = server.issuer = LoopbackIssuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def document(members: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answers with JSON."""
    return raw(json.dumps(members).encode(), status=status, headers=headers)


def raw(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answers with these bytes."""
    return lambda request: request.send(status, body, headers or {})


def not_found(request: Request) -> None:
    """Answers 404."""
    request.send(404, b"", {})
