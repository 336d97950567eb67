"""A small server on the loopback interface that speaks the session API, and misbehaves when told to."""

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Seen:
    """One request the server got."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Reply:
    """What to answer instead of the truth. `lost`: act, then close the connection without a word."""

    status: int = 500
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


@dataclass
class AuthServer:
    """One user, one family of refresh tokens that follows the rules of refresh; `turn` counts real turns.

    Attributes:
        replies: answered first, one a request.
        before_answer: called before each answer, outside the lock.
    """

    life_s: int = 300
    turn: int = 0
    minted: int = 0
    ended: str | None = None
    attempt: str | None = None
    seen: list[Seen] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)
    before_answer: Callable[[], None] = lambda: None
    url: str = ""
    guard: threading.Lock = field(default_factory=threading.Lock)

    def calls(self, verb: str) -> list[Seen]:
        """The requests for `/auth/<verb>`, oldest first."""
        return self.calls_to(f"/auth/{verb}")

    def calls_to(self, path: str) -> list[Seen]:
        """The requests for a path, oldest first."""
        return [seen for seen in self.seen if seen.path == path]

    def answer(self, seen: Seen) -> Reply:
        """The reply to one request."""
        with self.guard:
            self.seen.append(seen)
            told = self.replies.popleft() if self.replies else None
            if told is not None and not told.lost:
                return told
            reply = self._act(seen)
            return Reply(lost=True) if told is not None else reply

    def _act(self, seen: Seen) -> Reply:
        match seen.path:
            case "/auth/login":
                if (seen.body["username"], seen.body["password"]) != ("alice", "open sesame"):
                    return problem(401, "invalid_credentials")
                self.turn, self.ended, self.attempt = 0, None, None
                return self._tokens()
            case "/auth/refresh":
                return self._refresh(seen.body["refresh_token"], seen.headers.get("mapae-attempt"))
            case "/auth/logout":
                self.ended = "logged_out"
                return Reply(204, b"")
            case _:
                return Reply(404)

    def _refresh(self, presented: str, attempt: str | None) -> Reply:
        if not presented.startswith("mpr_"):
            return problem(401, "invalid_refresh_token")
        if self.ended is None and presented == f"mpr_{self.turn - 1}" and attempt != self.attempt:
            self.ended = "replayed"
        if self.ended is None and presented not in {f"mpr_{self.turn}", f"mpr_{self.turn - 1}"}:
            self.ended = "replayed"
        if self.ended is not None:
            return problem(401, "session_ended", reason=self.ended, ended_at=0)
        if presented == f"mpr_{self.turn}":
            self.turn += 1
            self.attempt = attempt
        return self._tokens()

    def _tokens(self) -> Reply:
        self.minted += 1
        return tokens(self.turn, self.minted, life_s=self.life_s)


def tokens(turn: int, minted: int = 0, *, life_s: int = 300) -> Reply:
    """The answer with the refresh token of a turn."""
    members = {
        "access_token": f"access-{turn}-{minted}",
        "token_type": "Bearer",
        "expires_in": life_s,
        "refresh_token": f"mpr_{turn}",
        "refresh_expires_in": 2_592_000,
        "session_id": "sEsSiOn-1234",
        "scope": "orders:read",
    }
    return Reply(200, json.dumps(members).encode())


def problem(status: int, code: str, **members: object) -> Reply:
    """A refusal as RFC 9457 has it."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": code, **members}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json"})


def _parsed(raw: bytes, content_type: str | None) -> dict[str, Any]:
    if raw and content_type == "application/json":
        return dict(json.loads(raw))
    return dict(parse_qsl(raw.decode())) if content_type == "application/x-www-form-urlencoded" else {}


@contextmanager
def serving(
    handle: Callable[[Seen], Reply],
    *,
    before_answer: Callable[[], None] = lambda: None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve in threads until the block ends; the base URL. With TLS the host is localhost."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = _parsed(raw, headers.get("content-type"))
            reply = handle(Seen(self.path, headers, body))
            before_answer()
            if reply.lost:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """Clients that do not trust us hang up: nothing to report."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def auth_server(**state: Any) -> Iterator[AuthServer]:
    """An `AuthServer` behind a socket."""
    server = AuthServer(**state)
    # Looked up at each request, so that a test can set it later.
    with serving(server.answer, before_answer=lambda: server.before_answer()) as server.url:  # noqa: PLW0108
        yield server
