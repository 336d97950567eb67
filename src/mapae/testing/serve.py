"""An issuer that answers on a port of this machine, for tests of the whole way from URL to key."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from mapae.clock import Clock, system_clock
from mapae.jose import strict_json
from mapae.testing.issuer import Issuer
from mapae.verifier import Verifier

METADATA: Final = "/.well-known/openid-configuration"
OAUTH_METADATA: Final = "/.well-known/oauth-authorization-server"
KEYS: Final = "/.well-known/jwks.json"


class ServedIssuer(Issuer):
    """An `Issuer` whose metadata and keys can be fetched from its URL.

    Attributes:
        requests: the path of each request, in order.
        reachable: False makes it answer 503 to everything.
    """

    def __init__(self, *, audience: str, issuer: str, algorithm: str, clock: Clock) -> None:
        super().__init__(audience=audience, issuer=issuer, algorithm=algorithm, clock=clock)
        self.requests: Final[list[str]] = []
        self.reachable = True

    def verifier(self, **options: Any) -> Verifier:
        """A verifier that knows the URL alone; `options` are further arguments of `Verifier`."""
        return super().verifier(**{"keys": None, **options})

    def document(self, path: str) -> dict[str, Any] | None:
        """What is to be had at `path`."""
        if path in (METADATA, OAUTH_METADATA):
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}{KEYS}"}
        return self.keys.to_dict() if path == KEYS else None


@contextmanager
def serve(
    *, audience: str, algorithm: str = "ES256", clock: Clock = system_clock, port: int = 0
) -> Iterator[ServedIssuer]:
    """An issuer on http://127.0.0.1, for the time of a `with`.

    Args:
        audience, algorithm, clock: as of `Issuer`
        port: 0 for any that is free
    """
    with ThreadingHTTPServer(("127.0.0.1", port), _Handler) as server:
        server.daemon_threads = True
        url = f"http://127.0.0.1:{server.server_port}"
        issuer = ServedIssuer(audience=audience, issuer=url, algorithm=algorithm, clock=clock)
        server.issuer = issuer  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        issuer: ServedIssuer = self.server.issuer  # type: ignore[attr-defined]
        issuer.requests.append(self.path)
        document = issuer.document(self.path)
        status = 503 if not issuer.reachable else 404 if document is None else 200
        body = strict_json.dump(document if document is not None and issuer.reachable else {})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: tests are quiet."""
