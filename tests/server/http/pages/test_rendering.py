"""Pages: what others chose stays text, and every page has its headers."""

from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError
from starlette.responses import Response

from mapae.server.http.pages.rendering import Pages
from tests.server.http.pages.contexts import HOSTILE, contexts
from tests.server.http.pages.requests import asked

PAGES = Pages("https://auth.example.com")


def shown(response: Response) -> str:
    """The page."""
    return bytes(response.body).decode()


class Elements(HTMLParser):
    """Every start tag of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("template", contexts())
def test_what_others_chose_appears_as_text_only(template: str, language: str) -> None:
    page = shown(PAGES.answer(asked(f"lang={language}"), template, **contexts(HOSTILE)[template]))
    innocent = shown(PAGES.answer(asked(f"lang={language}"), template, **contexts()[template]))
    hostile_shape, shape = (
        [(tag, list(attributes)) for tag, attributes in Elements(each).found] for each in (page, innocent)
    )
    assert hostile_shape == shape
    assert HOSTILE in unescape(page)


@pytest.mark.parametrize("template", contexts())
def test_no_script_style_or_handler_is_written_into_a_page(template: str) -> None:
    elements = Elements(shown(PAGES.answer(asked(), template, **contexts()[template]))).found
    assert not [tag for tag, attributes in elements if tag == "script" and "src" not in attributes]
    assert not [
        (tag, name)
        for tag, attributes in elements
        for name in attributes
        if name == "style" or name.startswith("on")
    ]
    assert "style" not in [tag for tag, _ in elements]


@pytest.mark.parametrize("template", contexts())
def test_a_page_is_not_stored_and_says_its_language(template: str) -> None:
    context = contexts()[template]
    response = PAGES.answer(
        asked(accept_language="ko"), template, status=418, headers={"X-More": "1"}, **context
    )
    assert response.status_code == 418
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-language"] == "ko"
    assert response.headers["x-more"] == "1"
    assert '<html lang="ko">' in shown(response)


def test_a_value_that_is_missing_is_an_error() -> None:
    context = contexts()["login.html"]
    del context["client_name"]
    with pytest.raises(UndefinedError, match="client_name"):
        PAGES.answer(asked(), "login.html", **context)


def test_the_path_of_the_issuer_stands_before_every_address() -> None:
    pages = Pages("https://example.com/auth")
    elements = Elements(shown(pages.answer(asked(), "login.html", **contexts()["login.html"]))).found
    addresses = [
        attributes[name]
        for tag, attributes in elements
        for name in ("href", "src", "action")
        if name in attributes
    ]
    assert addresses
    assert all(address and address.startswith(("/auth/", "?")) for address in addresses)


def test_the_words_of_the_contract_are_there() -> None:
    login = contexts()["login.html"] | {"problem": None}
    assert "Sign in" in shown(PAGES.answer(asked(), "login.html", **login))
    for language in ("en", "ko"):
        error = PAGES.answer(asked(f"lang={language}"), "error.html", **contexts("x")["error.html"])
        assert "error" in shown(error)
