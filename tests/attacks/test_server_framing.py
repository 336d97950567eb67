"""The attacker has two servers read one stream differently (RFC 9112 sections 6.3 and 11.2, OWASP WSTG-INPV-15)."""

import socket
from collections.abc import Iterator

import pytest

from tests.attacks.victim import LOGIN, Victim, get, in_chunks, post, victim_process

SMUGGLED = get("/health/ready")
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim_process(tmp_path_factory.mktemp("victim")) as made:
        yield made
        assert made.is_well()


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding\x00: chunked",
    ],
)
def test_a_transfer_coding_that_servers_read_differently_is_refused(victim: Victim, framing: str) -> None:
    answer = victim.ask(post("/auth/login", in_chunks(LOGIN) + SMUGGLED, framing=framing))
    assert (answer.status, answer.code, answer.headers["connection"]) == (400, "invalid_request", "close")


@pytest.mark.parametrize(
    "framing",
    [
        f"Content-Length: {len(LOGIN)}\r\nContent-Length: 0",
        f"Content-Length: {len(LOGIN)}\r\nContent-Length: {len(LOGIN)}",
        f"Content-Length: {len(LOGIN)}, {len(LOGIN)}",
        f"Content-Length: +{len(LOGIN)}",
        f"Content-Length: -{len(LOGIN)}",
        f"Content-Length: {len(LOGIN):#x}",
        f"Content-Length: {len(LOGIN)}.0",
        "Content-Length: 5 8",
        "Content-Length: 5_8",
        "Content-Length: \xb2",
        "Content-Length:",
        f"Content-Length: {2**64 + len(LOGIN)}",
    ],
)
def test_a_length_that_servers_read_differently_is_refused(victim: Victim, framing: str) -> None:
    answer = victim.ask(post("/auth/login", LOGIN + SMUGGLED, framing=framing))
    assert (answer.status, answer.code, answer.headers["connection"]) == (400, "invalid_request", "close")


@pytest.mark.parametrize(
    "chunks",
    [
        b"+1\r\n{\r\n0\r\n\r\n",
        b"0x1\r\n{\r\n0\r\n\r\n",
        b"-1\r\n{\r\n0\r\n\r\n",
        b"1 \r\n{\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n{\r\n0\r\n\r\n",
        b"1\n{\n0\n\n",
        b"1\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_a_chunk_that_servers_read_differently_is_refused(victim: Victim, chunks: bytes) -> None:
    answer = victim.ask(post("/auth/login", chunks + SMUGGLED, framing=CHUNKED))
    assert (answer.status, answer.code, answer.headers["connection"]) == (400, "invalid_request", "close")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /health/live HTTP/1.1\nHost: localhost\n\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /health/live HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /health/live\r\n\r\n",
        b"GET /health/\x00live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"FETCH /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        bytes(range(256)),
    ],
)
def test_what_is_no_request_of_http_1_is_refused(victim: Victim, request_: bytes) -> None:
    answer = victim.ask(request_)
    assert (answer.status, answer.code, answer.headers["connection"]) == (400, "invalid_request", "close")


def test_a_transfer_coding_in_http_1_0_is_faulty_framing(victim: Victim) -> None:
    request = post("/auth/login", in_chunks(LOGIN), framing=CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert victim.ask(request).code == "invalid_request"


def test_a_body_that_looks_like_a_request_is_a_body(victim: Victim) -> None:
    (answer,) = victim.send(post("/auth/login", SMUGGLED))
    assert answer.code == "invalid_request"


def test_what_was_asked_before_the_rubbish_is_answered_and_nothing_after_it(victim: Victim) -> None:
    answers = victim.send(post("/auth/login", LOGIN) + get("/health/live") + b"\x00\x00\r\n\r\n" + SMUGGLED)
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[-1].headers["connection"] == "close"


def test_a_trailer_is_no_header(victim: Victim) -> None:
    forged = b"0\r\nMapae-Instance: not a base64url value\r\nContent-Type: text/plain\r\n\r\n"
    body = in_chunks(LOGIN).removesuffix(b"0\r\n\r\n") + forged
    assert victim.ask(post("/auth/login", body, framing=CHUNKED)).status == 200


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0"])
def test_an_upgrade_is_declined_and_the_body_stays_the_requests_own(victim: Victim, protocol: str) -> None:
    offer = ("Connection: Upgrade", f"Upgrade: {protocol}")
    answers = victim.send(post("/auth/login", LOGIN, *offer) + get("/auth/me", *offer))
    assert [answer.status for answer in answers] == [200, 401]


def test_a_hundred_requests_in_one_stream_get_a_hundred_answers_in_their_order(victim: Victim) -> None:
    asked = [get("/health/live") if number % 2 else get("/nothing") for number in range(100)]
    statuses = [answer.status for answer in victim.send(b"".join(asked))]
    assert statuses == [200 if number % 2 else 404 for number in range(100)]


def test_a_caller_that_goes_away_in_the_middle_of_a_stream_is_no_error(victim: Victim) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", victim.port)) as connection:
            connection.sendall(post("/auth/login", LOGIN) * 2)
    assert victim.is_well()
