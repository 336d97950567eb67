"""Where a token may travel."""

import pytest

from mapae.client.errors import Misuse
from mapae.client.origin import issuer_url, origin_of, protected_origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.example.com", "https://api.example.com:443"),
        ("HTTPS://API.Example.COM:443/a?b#c", "https://api.example.com:443"),
        ("https://api.example.com:8443/", "https://api.example.com:8443"),
        ("http://localhost:8000/x", "http://localhost:8000"),
        ("http://[::1]/", "http://[::1]:80"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///path",
        "https://api.example.com:port",
        "https://api.example.com:99999",
        "https://api.example.com@evil.example",
        "https://good:secret@api.example.com",
        "https://evil.example\\@api.example.com",
        "https://[::1",
    ],
)
def test_what_is_no_plain_http_url_has_no_origin(url: str) -> None:
    with pytest.raises(Misuse):
        origin_of(url)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_plain_http_stays_on_this_machine(host: str) -> None:
    assert protected_origin(f"http://{host}:8000") == f"http://{host}:8000"


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "10.0.0.1",
        "127.0.0.1.evil.example",
        "127.1",
        "localhost.evil.example",
        "[::2]",
        "0.0.0.0",
    ],
)
def test_plain_http_leaves_no_machine(host: str) -> None:
    with pytest.raises(Misuse):
        protected_origin(f"http://{host}")


@pytest.mark.parametrize(
    ("typed", "issuer"),
    [
        ("https://Auth.Example.com/", "https://auth.example.com"),
        ("https://auth.example.com/tenant/", "https://auth.example.com/tenant"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)
def test_an_issuer_is_kept_in_one_spelling(typed: str, issuer: str) -> None:
    assert issuer_url(typed) == issuer


@pytest.mark.parametrize(
    "url", ["https://auth.example.com?x=1", "https://auth.example.com#x", "http://auth.example.com"]
)
def test_an_issuer_is_encrypted_and_has_no_query(url: str) -> None:
    with pytest.raises(Misuse):
        issuer_url(url)
