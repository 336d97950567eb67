"""A person at a browser without scripts: follows redirects, fills in forms, agrees to everything."""

from collections.abc import Mapping
from html.parser import HTMLParser

import httpx

#: More pages than any sign-in has.
_MOST_PAGES = 10


class Form(HTMLParser):
    """The first form of a page: where it goes, its fields with their values, and the ids of its buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields, self.buttons = "", dict[str, str](), set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form" if not self.action:
                self.action = given.get("action", "")
            case "input" if "name" in given:
                self.fields[given["name"]] = given.get("value", "")
            case "button":
                self.buttons.add(given.get("id", ""))


def browse(url: str, credentials: Mapping[str, str]) -> httpx.Response:
    """Go there, sign in where a password is asked for, and agree until no form is left: the last page."""
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(url)
        for _ in range(_MOST_PAGES):
            form = Form(page.raise_for_status().text)
            if not form.action:
                return page
            filled = credentials if "password" in form.fields else {}
            agreed = {"decision": "allow"} if "consent-allow" in form.buttons else {}
            page = browser.post(page.url.join(form.action), data={**form.fields, **filled, **agreed})
    raise AssertionError(f"no end of forms at {page.url}: {page.text}")
