"""Pages: escaping, headers, languages."""

from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser

import pytest
from starlette.requests import Request
from starlette.responses import Response

from mapae.server.http.pages.rendering import Pages
from tests.server.http.pages.contexts import HOSTILE, contexts

PAGES = Pages("https://auth.example.com")
LOGIN = contexts()["login.html"]


def asked(query: str = "", method: str = "GET", **headers: str) -> Request:
    """A request for a page."""
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/login",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
    )


def shown(response: Response) -> str:
    return bytes(response.body).decode()


class Elements(HTMLParser):
    """Every start tag of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("template", contexts())
def test_what_others_chose_appears_as_text_only(template: str) -> None:
    page = shown(PAGES.answer(asked(), template, **contexts(HOSTILE)[template]))
    elements = Elements(page).found
    assert "<script>alert" not in page
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
    assert [tag for tag, _ in elements if tag == "img"] == ["img"]  # the mark
    assert all("src" in attributes for tag, attributes in elements if tag == "script")
    assert "{{ 7*7 }}" in unescape(page)
