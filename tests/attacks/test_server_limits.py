"""The attacker sends too much, too deep, or to the wrong door (CWE-400, CWE-674, RFC 9110 section 9)."""

import json
from collections.abc import Iterator

import pytest

from tests.attacks.victim import LOGIN, Victim, get, in_chunks, post, victim_process

PATHS = {
    "/auth/login": "POST",
    "/auth/refresh": "POST",
    "/auth/logout": "POST",
    "/auth/me": "GET, HEAD",
    "/auth/sessions": "GET, HEAD",
    "/auth/sessions/0123456789ab": "DELETE",
    "/health/live": "GET, HEAD",
    "/health/ready": "GET, HEAD",
    "/.well-known/jwks.json": "GET, HEAD",
    "/.well-known/oauth-authorization-server": "GET, HEAD",
    "/.well-known/openid-configuration": "GET, HEAD",
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim_process(tmp_path_factory.mktemp("victim")) as made:
        yield made
        assert made.is_well()


def line(method: str, target: str) -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class TestTheHead:
    @pytest.mark.parametrize(
        "head",
        [
            get("/health/live", *["X: y"] * 10_000),
            get("/health/live", *["X: y"] * 100),
            get("/health/live", "X: " + "y" * 1_000_000),
            get("/health/live", "y" * 1_000_000 + ": x"),
            get("/health/live", "X: " + "y" * (16 * 1024)),
            get("/" + "y" * 1_000_000),
            get("/health/live?" + "y" * (16 * 1024)),
            b"GET /" + b"y" * 1_000_000,
            b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000,
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
        ],
        ids=lambda head: f"{len(head)} bytes, {head.count(b':')} headers",
    )
    def test_is_refused_when_it_is_too_large_whether_it_ends_or_not(
        self, victim: Victim, head: bytes
    ) -> None:
        answer = victim.ask(head)
        assert (answer.status, answer.code) == (431, "head_too_large")
        assert answer.headers["connection"] == "close"

    def test_of_almost_16_kib_and_100_headers_is_served(self, victim: Victim) -> None:
        assert victim.ask(get("/health/live", "X: " + "y" * (15 * 1024))).status == 200
        assert victim.ask(get("/health/live", *["X: y"] * 99)).status == 200

    @pytest.mark.parametrize("size", [3000, 9000, 15000])
    def test_limits_count_each_request_of_a_stream_for_itself(self, victim: Victim, size: int) -> None:
        one = post("/auth/login", LOGIN, "X: " + "y" * size)
        answers = victim.send(one * 8)
        assert [answer.status for answer in answers] == [200] * 8


class TestTheBody:
    @pytest.mark.parametrize("path", ["/auth/login", "/auth/refresh", "/auth/logout"])
    def test_of_10_mb_is_refused(self, victim: Victim, path: str) -> None:
        body = b'{"username":"' + b"x" * 10_000_000 + b'"}'
        assert victim.ask(post(path, body)).code == "body_too_large"

    def test_of_10_mb_in_chunks_is_refused(self, victim: Victim) -> None:
        body = in_chunks(b"x" * 10_000_000, size=100_000)
        answer = victim.ask(post("/auth/login", body, framing="Transfer-Encoding: chunked"))
        assert (answer.status, answer.code) == (413, "body_too_large")

    def test_that_only_claims_to_be_large_is_refused_unseen(self, victim: Victim) -> None:
        answer = victim.first_answer(post("/auth/login", b"", framing=f"Content-Length: {2**63}"))
        assert (answer.status, answer.code) == (413, "body_too_large")

    @pytest.mark.parametrize(
        "chunks",
        [
            b"1;" + b"x" * 1_000_000 + b"\r\n{\r\n0\r\n\r\n",
            (b"1;" + b"x" * 1000 + b"\r\n \r\n") * 1000 + b"0\r\n\r\n",
            b"1\r\n \r\n" * 10_000 + b"0\r\n\r\n",
            b"0\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
            b"0\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        ],
        ids=["one extension", "many extensions", "many chunks", "many trailers", "one trailer"],
    )
    def test_has_little_around_its_chunks(self, victim: Victim, chunks: bytes) -> None:
        answer = victim.ask(post("/auth/login", chunks, framing="Transfer-Encoding: chunked"))
        assert (answer.status, answer.code) == (431, "head_too_large")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"[" * 16_000,
            b'{"a":' * 3_000,
            b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
            b'{"username":"alice","username":"bob","password":"x"}',
            b'{"a":{"b":1,"b":2}}',
            b'{"username":NaN,"password":"x"}',
            b'{"username":"alice","password":Infinity}',
            b'{"a":1e999999}',
            b'{"a":' + b"9" * 15_000 + b"}",
            b'{"username":"\xff\xfe","password":"x"}',
            b'{"username":"\xc0\xae","password":"x"}',
            b'{"username":"\\ud800","password":"x"}',
            b'\xef\xbb\xbf{"username":"alice","password":"x"}',
            '{"username":"alice","password":"x"}'.encode("utf-16"),
            b'{"username":"alice","password":"x"} {}',
            b'{"username":"alice","password":"x",}',
            b"{'username':'alice'}",
            b'{"username":{"$ne":null},"password":{"$ne":null}}',
            b'{"username":["alice"],"password":["x"]}',
            b'{"username":true,"password":0}',
        ],
        ids=lambda body: repr(body[:40]),
    )
    def test_has_to_be_json_with_one_meaning(self, victim: Victim, body: bytes) -> None:
        answer = victim.ask(post("/auth/login", body))
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert body[:200] not in answer.body or not body

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"],
    )
    def test_that_any_web_page_could_send_is_refused(self, victim: Victim, content_type: str) -> None:
        request = post("/auth/login", LOGIN).replace(b"application/json", content_type.encode())
        answer = victim.ask(request)
        assert (answer.status, answer.code) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("size", [1025, 5_000, 16_000, 1_000_000])
    def test_with_a_password_that_is_too_long_is_refused_before_it_is_hashed(
        self, victim: Victim, size: int
    ) -> None:
        answer = victim.ask(
            post("/auth/login", json.dumps({"username": "alice", "password": "x" * size}).encode())
        )
        assert (answer.status, answer.code) in {(400, "invalid_request"), (413, "body_too_large")}


class TestTheDoor:
    @pytest.mark.parametrize("path", PATHS)
    def test_other_methods_are_405_and_name_those_that_are_answered(self, victim: Victim, path: str) -> None:
        allowed = PATHS[path].split(", ")
        for method in METHODS:
            if method not in allowed:
                (answer,) = victim.send(line(method, path))
                assert answer.status == 405, method
                assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed)

    @pytest.mark.parametrize("target", ["localhost:8000", "example.com:443", "/auth/me"])
    def test_connect_is_refused(self, victim: Victim, target: str) -> None:
        assert victim.ask(line("CONNECT", target)).status in {400, 405}

    def test_trace_gives_no_credentials_back(self, victim: Victim) -> None:
        request = line("TRACE", "/auth/me").replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer t0ken\r\n\r\n")
        answer = victim.ask(request)
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert b"t0ken" not in answer.body

    @pytest.mark.parametrize(
        "target",
        [
            "/auth/login/", "//evil.example/auth/login", "/auth/%2e%2e/auth/login", "/AUTH/LOGIN",
            "/auth/login%00", "/%ff%fe", "/auth/sessions/%2e%2e%2f", "*", "/auth/login;x=y",
        ],
    )  # fmt: skip
    def test_another_spelling_is_another_address_and_never_a_redirect(
        self, victim: Victim, target: str
    ) -> None:
        request = post(target, LOGIN).replace(b"localhost", b"evil.example")
        answer = victim.ask(request)
        assert (answer.status, answer.code) == (404, "not_found")
        assert "location" not in answer.headers

    @pytest.mark.parametrize("origin", ["https://evil.example", "null"])
    def test_no_web_page_elsewhere_may_read_an_answer(self, victim: Victim, origin: str) -> None:
        for request in (
            post("/auth/login", LOGIN, f"Origin: {origin}"),
            get("/auth/me", f"Origin: {origin}"),
        ):
            assert "access-control-allow-origin" not in victim.ask(request).headers
