"""Where the browser comes back to: a listener on 127.0.0.1 that takes one redirect (RFC 8252 section 7.3)."""

import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from hmac import compare_digest
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from mapae.client.errors import LoginRefused

#: How long a person has, in seconds.
TIME_LIMIT_S: Final = 600.0
PATH: Final = "/callback"

_STYLE: Final = "body{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em}"
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>{style}</style>
<h1>{title}</h1><p>{text}</p>
"""
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-"
    + b64encode(sha256(_STYLE.encode()).digest()).decode()
    + "'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


class Loopback:
    """Waits for one redirect; whatever else comes is answered and forgotten.

    Attributes:
        redirect_uri: what the server is told to send the browser back to.
        state: what the redirect has to bring along (RFC 6749 section 10.12).
    """

    def __init__(self, port: int, application: str, state: str) -> None:
        self.redirect_uri: Final = f"http://127.0.0.1:{port}{PATH}"
        self._host: Final = f"127.0.0.1:{port}"
        self._application: Final = application
        self._arrived: Final = threading.Event()
        self._guard: Final = threading.Lock()
        self.state: Final = state
        self._parameters: Mapping[str, str] | None = None

    def wait(self, time_limit_s: float = TIME_LIMIT_S) -> Mapping[str, str]:
        """The parameters of the redirect.

        Raises:
            LoginRefused: nobody came back in time, or the listener was closed.
        """
        self._arrived.wait(time_limit_s)
        if self._parameters is None:
            raise LoginRefused("expired", "nobody signed in in the browser in time; sign in again")
        return self._parameters

    def close(self) -> None:
        """Let who waits go."""
        self._arrived.set()

    def answer(self, host: str, target: str) -> tuple[int, str, str]:
        """Status, title and text for a GET."""
        parts = urlsplit(target)
        # Another host name that leads here is a page that rebinds its name (DNS rebinding).
        if host != self._host or parts.path != PATH:
            return 404, "Not found", "There is nothing here."
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        parameters = dict(pairs)
        with self._guard:
            ours = compare_digest(parameters.get("state", "").encode(), self.state.encode())
            # RFC 6749 section 3.1: parameters MUST NOT be included more than once.
            if not ours or len(parameters) != len(pairs) or self._parameters is not None:
                return 400, "Not expected", "Nobody here asked for this. If you are signing in, start anew."
            self._parameters = parameters
        self._arrived.set()
        if "error" in parameters:
            return 200, "Not signed in", f"{self._application} was told so. You can close this window."
        return 200, "Nearly done", f"{self._application} goes on by itself. You can close this window."


@contextmanager
def listening(application: str, state: str) -> Iterator[Loopback]:
    """A listener on a free port of this machine.

    Args:
        application: what the page calls the program that the person signs in to.
        state: a value nobody can guess, drawn for this sign-in.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # browsers open connections that they never use
        server_version, sys_version = "mapae", ""

        def do_GET(self) -> None:
            status, title, text = loopback.answer(self.headers.get("Host", ""), self.path)
            page = _PAGE.format(title=escape(title), text=escape(text), style=_STYLE).encode()
            self.send_response(status)
            for name, value in {**_HEADERS, "Content-Length": str(len(page))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """The request line holds the code."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A browser that hangs up is nothing to report."""

    server = Server(("127.0.0.1", 0), Handler)
    loopback = Loopback(server.server_address[1], application, state)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.close()
        server.shutdown()
        thread.join()
        server.server_close()
