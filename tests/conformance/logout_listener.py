"""The suite's address for back-channel logout: the only one that the server calls by itself."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

from tests.conformance.browser import Received
from tests.private_ca import PrivateCa

_PATIENCE_S = 20


@dataclass
class LogoutListener:
    """`origin` is the origin of the suite's addresses."""

    origin: str
    _heard: "queue.Queue[Received]" = field(default_factory=queue.Queue)

    def hear(self, received: Received) -> None:
        """Keep a request."""
        self._heard.put(received)

    def next(self) -> Received:
        """The next request that came, or comes soon."""
        return self._heard.get(timeout=_PATIENCE_S)

    def is_silent(self) -> bool:
        """Whether nothing else has come."""
        return self._heard.empty()


@contextmanager
def listening(ca: PrivateCa) -> Iterator[LogoutListener]:
    """While inside, somebody listens, with TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = dict(parse_qsl(self.rfile.read(length).decode()))
            listener.hear(Received("POST", listener.origin + self.path, {}, form))
            self.send_response(200)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = ca.serving("localhost").wrap_socket(server.socket, server_side=True)
    listener = LogoutListener(f"https://localhost:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
