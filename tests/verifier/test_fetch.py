"""Fetching JSON from a server that means no good, over real sockets."""

from collections.abc import Callable, Iterator

import pytest

from mapae.clock import monotonic_clock
from mapae.verifier.fetch import SIZE_LIMIT, FetchFailed, get
from mapae.verifier.origin import is_protected
from tests.verifier.loopback import Answer, LoopbackIssuer, Request, document, loopback_issuer, raw


@pytest.fixture
def server() -> Iterator[LoopbackIssuer]:
    with loopback_issuer() as issuer:
        yield issuer


def _soon() -> float:
    return monotonic_clock() + 0.3


def _later() -> float:
    return monotonic_clock() + 10


@pytest.mark.parametrize(
    ("cache_control", "max_age_s"),
    [
        ("", None),
        ("max-age=600", 600),
        ("public, Max-Age=600", 600),
        ('max-age="600"', 600),
        ("s-maxage=5", None),
        ("max-age=-1", None),
        ("no-store", 0),
        ("max-age=600, no-cache", 0),
    ],
)
def test_a_document_comes_with_the_time_it_may_be_kept(
    server: LoopbackIssuer, cache_control: str, max_age_s: int | None
) -> None:
    server.answers["/d?q=1"] = document({"a": 1}, headers={"Cache-Control": cache_control})

    assert get(f"{server.url}/d?q=1", deadline=_later()) == ({"a": 1}, max_age_s)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"[]",
        b"null",
        b'{"a":1,"a":2}',
        b"\xff",
        b'{"a":',
        b"[" * 60_000,
    ],
    ids=["nothing", "html", "array", "null", "twice", "no utf-8", "cut off", "deep"],
)
def test_what_is_no_strict_json_object_is_refused(server: LoopbackIssuer, body: bytes) -> None:
    server.answers["/d"] = raw(body)

    with pytest.raises(FetchFailed, match="no JSON object"):
        get(f"{server.url}/d", deadline=_later())


@pytest.mark.parametrize("status", [201, 204, 304, 401, 404, 500])
def test_only_200_counts(server: LoopbackIssuer, status: int) -> None:
    server.answers["/d"] = document({}, status=status)

    with pytest.raises(FetchFailed, match=str(status)):
        get(f"{server.url}/d", deadline=_later())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: LoopbackIssuer, status: int) -> None:
    server.answers["/inside"] = document({"secret": 1})
    server.answers["/d"] = raw(b"", status=status, headers={"Location": f"{server.url}/inside"})

    with pytest.raises(FetchFailed, match=str(status)):
        get(f"{server.url}/d", deadline=_later())
    assert server.requests == ["/d"]


def test_a_document_at_the_size_limit_is_read_and_one_byte_more_is_not(server: LoopbackIssuer) -> None:
    server.answers["/fits"] = raw(b"{}".ljust(SIZE_LIMIT))
    server.answers["/exceeds"] = raw(b"{}".ljust(SIZE_LIMIT + 1))

    assert get(f"{server.url}/fits", deadline=_later()).members == {}
    with pytest.raises(FetchFailed, match="more than"):
        get(f"{server.url}/exceeds", deadline=_later())


def _fifty_megabytes(request: Request) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(50):
        request.wfile.write(b" " * 1024 * 1024)
    request.server.issuer.requests.append("all of it was taken")


def test_fifty_megabytes_are_not_taken(server: LoopbackIssuer) -> None:
    server.answers["/d"] = _fifty_megabytes

    with pytest.raises(FetchFailed, match="more than"):
        get(f"{server.url}/d", deadline=_later())
    assert server.requests == ["/d"]


def _drip(piece: bytes) -> Answer:
    def answer(request: Request) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not request.server.issuer.released.wait(0.02):
            request.wfile.write(piece)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: request.server.issuer.hang(request),
        _drip(b"x"),
        _drip(b"X: y\r\n"),
        _drip(b"\r\n "),
    ],
    ids=["silence", "an endless header", "endless headers", "an endless body"],
)
def test_a_server_that_takes_its_time_is_left_at_the_deadline(
    server: LoopbackIssuer, answer: Callable[[Request], None]
) -> None:
    server.answers["/d"] = answer

    with pytest.raises(FetchFailed, match="in time"):
        get(f"{server.url}/d", deadline=_soon())


def test_a_deadline_that_has_passed_asks_nobody(server: LoopbackIssuer) -> None:
    with pytest.raises(FetchFailed, match="in time"):
        get(f"{server.url}/d", deadline=monotonic_clock())
    assert server.requests == []


def _hang_up(request: Request) -> None:
    request.close_connection = True
    request.connection.close()


@pytest.mark.parametrize(
    "answer",
    [_hang_up, lambda request: request.wfile.write(b"SSH-2.0-OpenSSH\r\n"), _drip(b"X" * 70_000)],
    ids=["hangs up", "other protocol", "header of 70 kB"],
)
def test_what_is_no_http_is_a_failed_fetch(server: LoopbackIssuer, answer: Answer) -> None:
    server.answers["/d"] = answer

    with pytest.raises(FetchFailed):
        get(f"{server.url}/d", deadline=_later())


def test_nobody_at_the_other_end_is_a_failed_fetch() -> None:
    with loopback_issuer() as server:
        url = server.url

    with pytest.raises(FetchFailed, match="cannot be reached"):
        get(f"{url}/d", deadline=_later())


def test_a_certificate_that_nobody_vouches_for_is_a_failed_fetch(server: LoopbackIssuer) -> None:
    with pytest.raises(FetchFailed, match="cannot be reached"):
        get(server.url.replace("http:", "https:"), deadline=_later())


def test_this_machine_is_reached_without_the_proxy_of_the_environment(
    server: LoopbackIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.answers["/d"] = document({"a": 1})

    assert get(f"{server.url}/d", deadline=_later()).members == {"a": 1}


def test_other_machines_are_reached_through_the_proxy_of_the_environment(
    server: LoopbackIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)

    # The proxy here knows no CONNECT and says so.
    with pytest.raises(FetchFailed, match="Tunnel connection failed: 501"):
        get("https://auth.example.com/d", deadline=_later())


@pytest.mark.parametrize(
    "url",
    [
        "https://auth.example.com",
        "https://auth.example.com:8443/tenant",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://127.9.9.9:1",
        "http://[::1]:8000",
    ],
)
def test_https_and_this_machine_are_protected(url: str) -> None:
    assert is_protected(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "auth.example.com",
        "http://auth.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "http://169.254.169.254",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://",
        "https://host:port",
        "https://[::1",
    ],
)
def test_everything_else_is_not_and_is_not_asked(url: str) -> None:
    assert not is_protected(url)
    with pytest.raises(FetchFailed, match="neither"):
        get(url, deadline=_later())
