"""The client's own HTTP: no redirects, bounded answers, errors by kind."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from mapae.client.errors import AnswerLost, Misuse, Unavailable, UnexpectedAnswer
from mapae.client.transport import SIZE_LIMIT, Call, send
from tests.client.certificates import self_signed
from tests.client.wire import Reply, Seen, serving


class Recorder:
    """Answers 200, and remembers that it was asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def __call__(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        return Reply(200)


def call(url: str) -> Call:
    return Call(url, b'{"password": "open sesame"}', {"Mapae-Instance": "abc"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    followed = Recorder()
    with serving(followed) as elsewhere:
        there = {"Location": f"{elsewhere}/auth/login"}
        with serving(lambda _: Reply(status, b"", there)) as url:
            assert send(call(f"{url}/auth/login")).status == status

    assert followed.seen == []


@pytest.mark.parametrize("status", [200, 401, 503])
def test_an_answer_is_given_back_whatever_its_status(status: int) -> None:
    with serving(lambda _: Reply(status, b'{"a": 1}', {"X-Some": "Thing"})) as url:
        answer = send(call(url))

    assert (answer.status, answer.body, answer.headers["x-some"]) == (status, b'{"a": 1}', "Thing")


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_too_large_is_not_read_to_its_end(status: int) -> None:
    with serving(lambda _: Reply(status, b"x" * (SIZE_LIMIT + 1))) as url, pytest.raises(UnexpectedAnswer):
        send(call(url))


def test_a_broken_connection_is_told_from_none() -> None:
    with serving(lambda _: Reply(lost=True)) as url, pytest.raises(AnswerLost):
        send(call(url))
    with pytest.raises(Unavailable) as refused:  # the server is gone
        send(call(url))

    assert not isinstance(refused.value, AnswerLost)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match="did not answer in time"):
            send(Call(url, b"{}", {}, time_limit_s=0.2))


def test_a_server_that_never_comes_to_an_end_is_given_up() -> None:
    given_up = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
            while not given_up.wait(0.01):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            with pytest.raises(Unavailable, match="did not answer in time"):
                send(Call(f"http://127.0.0.1:{listener.getsockname()[1]}", b"{}", {}, time_limit_s=0.2))
        finally:
            given_up.set()
            thread.join(10)


def test_plain_http_to_another_machine_is_never_tried() -> None:
    with pytest.raises(Misuse):
        send(call("http://auth.example.com/auth/login"))


def test_http_on_this_machine_uses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied = Recorder()
    with serving(proxied) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        with serving(lambda _: Reply(204, b"")) as url:
            assert send(call(url)).status == 204

    assert proxied.seen == []


def test_https_believes_the_authorities_of_the_system_or_of_ssl_cert_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(lambda _: Reply(204, b""), tls=context) as url:
        with pytest.raises(Unavailable, match="not trusted: self-signed certificate"):
            send(call(url))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send(call(url)).status == 204


def test_a_call_shows_no_secret() -> None:
    assert "open sesame" not in repr(call("https://auth.example.com"))
