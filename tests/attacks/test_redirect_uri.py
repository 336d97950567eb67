"""The attacker asks for the answer to be sent elsewhere (RFC 9700 sections 2.1 and 4.1, RFC 6749 section 3.1.2)."""

import pytest

from mapae.oauth.redirect_uri import matches

REGISTERED = ("https://app.example.com/callback", "https://app.example.com/other?tenant=1")


@pytest.mark.parametrize("uri", REGISTERED)
def test_what_was_registered_is_the_measure(uri: str) -> None:
    assert matches(REGISTERED, uri)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "https://evil.example/callback",
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/call",
        "https://app.example.com/callback/",
        "https://app.example.com/callback/more",
        "https://app.example.com/callback/../other",
        "https://app.example.com/x/../callback",
        "https://app.example.com/%2e%2e/callback",
        "https://app.example.com/./callback",
        "https://app.example.com//callback",
        "https://app.example.com/callback?",
        "https://app.example.com/callback?next=https://evil.example/",
        "https://app.example.com/callback#",
        "https://app.example.com/callback#access_token",
        "https://app.example.com/callback;x",
        "https://app.example.com/CALLBACK",
        "https://APP.example.com/callback",
        "HTTPS://app.example.com/callback",
        "https://app.example.com/c%61llback",
        "https://app.example.com/callback%00",
        "https://app.example.com/callback\x00",
        "https://app.example.com/callback\r\nLocation: https://evil.example/",
        "https://app.example.com/callback ",
        " https://app.example.com/callback",
        "https://app.example.com\\@evil.example/callback",
        "https:\\\\app.example.com\\callback",
        "https://app.example.com@evil.example/callback",
        "https://evil.example/https://app.example.com/callback",
        "https://app.example.com.evil.example/callback",
        "https://evilapp.example.com/callback",
        "https://app.example.com:443/callback",
        "https://app.example.com:8443/callback",
        "http://app.example.com/callback",
        "//app.example.com/callback",
        "/callback",
        "https://аpp.example.com/callback",  # the first letter is Cyrillic
        "https://xn--pp-6kc.example.com/callback",
        "https://ａpp.example.com/callback",
        "https://app.example.com/other",
        "https://app.example.com/other?tenant=2",
        "https://app.example.com/other?tenant=1&tenant=2",
        "javascript:alert(1)",
        "data:text/html,hello",
        "file:///etc/passwd",
        "http://127.0.0.1:8080/callback",
        "https://app.example.com/callback,https://evil.example/",
    ],
)
def test_whatever_looks_like_it_is_something_else(asked: str) -> None:
    assert not matches(REGISTERED, asked)
