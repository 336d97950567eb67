"""The server is told to stop: what was asked is answered, then everything ends without a word too many."""

import json
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest

from tests.journeys.processes import MAPAE, ROOT, environment, free_port, mapae, started, until
from tests.private_ca import private_ca

PASSWORD = "correct horse battery staple"
LOGIN = json.dumps({"username": "alice", "password": PASSWORD}).encode()
HEAD = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(LOGIN)
)
PATIENCE_S = 20


@pytest.fixture
def environ(database_url: str) -> dict[str, str]:
    made = environment(
        MAPAE_ISSUER="http://localhost:8000",
        MAPAE_DATABASE_URL=database_url,
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    )
    mapae("user", "create", "alice", "--password-stdin", environ=made, text=f"{PASSWORD}\n")
    return made


@contextmanager
def server(
    environ: dict[str, str], log: Path, port: int, workers: int, *, scheme: str = "http"
) -> Iterator[subprocess.Popen[bytes]]:
    command = (MAPAE, "serve", "--port", str(port), "--workers", str(workers))
    ready = f"{scheme}://127.0.0.1:{port}/health/ready"
    with started(command, environ=environ, ready=ready, log=log) as process:
        yield process


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_sign_in_under_way_is_answered_and_then_the_server_ends(
    environ: dict[str, str], tmp_path: Path, workers: int, told: signal.Signals
) -> None:
    port, log = free_port(), tmp_path / "log"
    with (
        server(environ, log, port, workers) as process,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as idle,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as signing_in,
    ):
        signing_in.sendall(HEAD + LOGIN[:10])
        _ask(port)  # answered after what came before has been read
        process.send_signal(told)
        until(lambda: log.read_text().count("Shutting down") == workers)
        assert idle.recv(1) == b""
        signing_in.sendall(LOGIN[10:])
        answer = HTTPResponse(signing_in)
        answer.begin()
        assert answer.status == 200
        assert "refresh_token" in json.load(answer)
        assert answer.headers["connection"] == "close"
        code = process.wait(PATIENCE_S)
    assert code in {0, -told}
    assert "Traceback" not in log.read_text()
    assert "interrupted" not in log.read_text()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_request_that_does_not_come_to_its_end_holds_nobody_for_longer_than_the_drain(
    environ: dict[str, str], tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    with (
        server(environ | {"MAPAE_DRAIN": "0"}, log, port, 1) as process,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection,
    ):
        connection.sendall(HEAD + LOGIN[:10])
        _ask(port)
        process.terminate()
        process.wait(PATIENCE_S)
    assert "Finished server process" in log.read_text()


def test_a_server_that_is_told_before_it_is_ready_ends_too(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [MAPAE, "serve", "--port", str(free_port())], env=environ, cwd=ROOT, stderr=subprocess.PIPE
    )
    process.terminate()
    _, written = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGTERM
    assert b"Traceback" not in written


def _ask(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200


def test_an_idle_tls_connection_keeps_nobody_waiting(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = private_ca(tmp_path)
    certificate, key = authority.files_for("127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    environ = environment(
        MAPAE_ISSUER="https://localhost:8000",
        MAPAE_DATABASE_URL=sqlite_url,
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        MAPAE_TLS_CERT=str(certificate),
        MAPAE_TLS_KEY=str(key),
    )
    log, port = tmp_path / "log", free_port()
    trusting = ssl.create_default_context(cafile=authority.file)
    idle = HTTPSConnection("127.0.0.1", port, context=trusting, timeout=PATIENCE_S)
    with server(environ, log, port, 1, scheme="https") as process, closing(idle):
        idle.request("GET", "/health/live")
        assert idle.getresponse().read()
        process.terminate()
        process.wait(PATIENCE_S)
    assert "timeout graceful shutdown exceeded" not in log.read_text()
