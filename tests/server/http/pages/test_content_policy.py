"""The content security policy of pages."""

import pytest

from mapae.server.http.pages.content_policy import content_policy


def directives(*, form_action: str | None = None, frames: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """A policy, taken apart."""
    parts = [directive.split(" ") for directive in content_policy(form_action, frames).split("; ")]
    return {name: sources for name, *sources in parts}


def test_nothing_is_allowed_but_what_is_ours() -> None:
    assert directives() == {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "img-src": ["'self'"],
        "form-action": ["'self'", "https:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("http://127.0.0.1:51004/callback?a=b;c", "http://127.0.0.1:51004"),
        ("http://localhost/callback", "http://localhost"),
        ("http://[::1]:51004/callback", "http:"),
        ("com.example.app:/callback", "com.example.app:"),
        ("http://a;script-src *.example/", "http:"),
    ],
)
def test_a_form_may_end_at_the_client(redirect_uri: str, source: str) -> None:
    assert directives(form_action=redirect_uri)["form-action"] == ["'self'", "https:", source]


@pytest.mark.parametrize("url", ["", "/path", "http://[bad/", "http://a:99999/", "http://a:b/"])
def test_what_is_no_url_allows_nothing(url: str) -> None:
    assert directives(form_action=url) == directives()


def test_frames_are_allowed_by_origin() -> None:
    frames = ("https://a.example/out?sid=1", "https://a.example/other", "https://b.example:8443/out")
    assert directives(frames=frames)["frame-src"] == ["https://a.example", "https://b.example:8443"]
