"""Redirect URIs: which can be registered, and which a request may name (RFC 9700 section 4.1, RFC 8252 section 7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.redirect_uri import is_for_native_only, matches, registered

LOOPBACK = ("http://127.0.0.1/callback", "http://[::1]/callback")


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com",
        "https://app.example.com/callback",
        "https://app.example.com:8443/callback?tenant=a%20b&x=1",
        "https://xn--bcher-kva.example/callback",
        "https://192.0.2.1/callback",
        "https://[2001:db8::1]:8443/callback",
        "https://app.example.com/a..b/...",
    ],
)
def test_https_is_for_every_kind_of_client(uri: str) -> None:
    assert registered(uri, "web") == registered(uri, "native") == uri
    assert not is_for_native_only(uri)


@pytest.mark.parametrize(
    "uri",
    [
        *LOOPBACK,
        "http://127.0.0.1:8002/callback",
        "http://localhost:3000/callback",
        "com.example.app:/callback",
        "com.example.app://callback",
    ],
)
def test_the_users_own_machine_is_for_native_clients_alone(uri: str) -> None:
    assert registered(uri, "native") == uri
    assert is_for_native_only(uri)
    with pytest.raises(OAuthError, match="has to be https"):
        registered(uri, "web")


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("", "no absolute URI"),
        ("/callback", "no absolute URI"),
        ("https:", "no absolute URI"),
        ("https://", "needs a host"),
        ("https:///callback", "needs a host"),
        ("https:callback", "needs a host"),
        ("HTTPS://app.example.com/", "scheme in lower case"),
        ("https://App.example.com/", "host in lower case"),
        ("https://app.example.com/#", "fragment"),
        ("https://app.example.com/#code", "fragment"),
        ("https://app.example.com/a b", "percent-encoded"),
        ("https://app.example.com/%", "percent-encoded"),
        ("https://app.example.com/%zz", "percent-encoded"),
        ("https://app.example.com\\@evil.example/", "percent-encoded"),
        ("https://app.example.com/\r\nLocation: x", "percent-encoded"),
        ("https://app.example.com/\x00", "percent-encoded"),
        ("https://bücher.example/", "in ASCII"),
        ("https://app.example.com/é", "in ASCII"),
        ("https://user@app.example.com/", "user name"),
        ("https://app.example.com@evil.example/", "user name"),
        ("https://:@app.example.com/", "user name"),
        ("https://app.example.com:0/", "port"),
        ("https://app.example.com:65536/", "host or port"),
        ("https://app.example.com:x/", "host or port"),
        ("https://[::1/", "host or port"),
        ("https://[nonsense]/", "host or port"),
        ("https://*.example.com/", "needs a host"),
        ("https://app.example.com/../callback", "dots"),
        ("https://app.example.com/a/./b", "dots"),
        ("https://app.example.com/a/%2e%2E/b", "dots"),
        ("https://app.example.com/a/.%2e", "dots"),
        ("https://app.example.com/" + "a" * 2000, "at most 2000"),
        ("http://app.example.com/callback", "has to be https"),
        ("http://127.0.0.2/callback", "has to be https"),
        ("http://127.0.0.1.evil.example/callback", "has to be https"),
        ("http://localhost.evil.example/callback", "has to be https"),
        ("javascript:alert(1)", "domain name in reverse"),
        ("data:text/html,hello", "domain name in reverse"),
        ("file:///etc/passwd", "domain name in reverse"),
        ("vbscript:x", "domain name in reverse"),
        ("blob:https://app.example.com/1", "domain name in reverse"),
        ("myapp:/callback", "domain name in reverse"),
    ],
)
@pytest.mark.parametrize("application_type", ["web", "native"])
def test_what_browsers_could_take_elsewhere_is_not_registered(
    uri: str, why: str, application_type: str
) -> None:
    with pytest.raises(OAuthError) as refused:
        registered(uri, application_type)
    assert refused.value.code is ErrorCode.INVALID_REDIRECT_URI
    assert not uri or uri not in refused.value.description
    assert application_type == "web" or why in refused.value.description
    assert not is_for_native_only(uri)


@pytest.mark.parametrize(
    "asked",
    [
        *LOOPBACK,
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:51004/callback",
    ],
)
def test_on_the_loopback_literals_the_port_may_be_any(asked: str) -> None:
    assert matches(LOOPBACK, asked)
    assert matches(["http://127.0.0.1:8080/callback", "http://[::1]:8080/callback"], asked)


@pytest.mark.parametrize(
    "asked",
    [
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:080/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:80:80/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:8080/callback/",
        "http://127.0.0.1:8080/callback?x=1",
        "http://127.0.0.1:8080",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.2:8080/callback",
        "http://127.1:8080/callback",
        "http://localhost:8080/callback",
        "https://127.0.0.1:8080/callback",
        "http://[::1]:8080:9/callback",
        "http://[0:0:0:0:0:0:0:1]/callback",
    ],
)
def test_everything_but_the_port_is_compared_there_too(asked: str) -> None:
    assert not matches(LOOPBACK, asked)


def test_a_name_for_this_machine_has_the_port_that_was_registered() -> None:
    assert matches(["http://localhost:3000/callback"], "http://localhost:3000/callback")
    assert not matches(["http://localhost:3000/callback"], "http://localhost:3001/callback")


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_else_is_asked_for_has_to_be_the_same_text(one: str, asked: str) -> None:
    assert matches(["https://app.example.com/" + one], "https://app.example.com/" + asked) == (one == asked)
    assert not matches([], asked)
