"""The suite's browser, without scripts: cookies, redirects, forms, frames, and the commands of a configuration."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from html.parser import HTMLParser
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

_UNSEEN = {"head", "title", "script", "style"}


@dataclass(frozen=True)
class Received:
    """A request that came to an address of the suite."""

    method: str
    url: str
    query: Mapping[str, str]
    form: Mapping[str, str] | None = None

    @property
    def path(self) -> str:
        """What the suite tells its addresses apart by."""
        return urlsplit(self.url).path.rpartition("/")[2]


@dataclass
class _Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What is on the screen."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url = url
        self.text = ""
        self.frames: list[str] = []
        self.refresh: str | None = None
        self._forms: list[_Form] = []
        self._buttons: dict[str, tuple[_Form, Mapping[str, str]]] = {}
        self._links: dict[str, str] = {}
        self._ids: set[str] = set()
        self._within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if element_id := has.get("id"):
            self._ids.add(element_id)
        match tag:
            case "form":
                self._forms.append(_Form(has["action"], has.get("method", "get")))
            case "input":
                self._forms[-1].fields[has["name"]] = has.get("value", "")
            case "button" if "id" in has:
                pressed = {has["name"]: has.get("value", "")} if "name" in has else {}
                self._buttons[has["id"]] = self._forms[-1], pressed
            case "a" if "id" in has:
                self._links[has["id"]] = has["href"]
            case "iframe":
                self.frames.append(urljoin(self.url, has["src"]))
            case "meta" if has.get("http-equiv") == "refresh":
                self.refresh = has["content"].partition("url=")[2]
        if tag in _UNSEEN:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.text += data

    def has(self, element_id: str) -> bool:
        """Whether there is an element of this id."""
        return element_id in self._ids

    def type(self, name: str, text: str) -> None:
        """Clear a field, and type into it."""
        (form,) = (form for form in self._forms if name in form.fields)
        form.fields[name] = text

    def click(self, element_id: str) -> httpx.Request:
        """What the browser sends when a button is pressed, or a link followed."""
        if element_id in self._links:
            return httpx.Request("GET", urljoin(self.url, self._links[element_id]))
        form, pressed = self._buttons[element_id]
        return httpx.Request(
            form.method.upper(),
            urljoin(self.url, form.action),
            data={**form.fields, **pressed},
            headers={"Origin": origin_of(self.url), "Sec-Fetch-Site": "same-origin"},
        )


class Browser:
    """One person's browser, as `browser` of a configuration drives it.

    Addresses outside of `issuer` are the suite's: what goes there is `received`, and answered with a page of its.
    """

    def __init__(self, issuer: str, commands: Sequence[Mapping[str, Any]], tls: SSLContext) -> None:
        self._issuer = issuer
        self._commands = commands
        self._http = httpx.Client(verify=tls, headers={"Accept": "text/html", "Accept-Language": "en-US"})
        self.received: list[Received] = []
        #: The tasks that were done since the browser was last sent somewhere, and the texts it was to look at.
        self.done: list[str] = []
        self.pictures: list[str] = []
        self.page = Page("about:blank", "")

    def visit(self, url: str, *, method: str = "GET") -> Page:
        """Go to an address, and do what the configuration has for it: the page on which that ends."""
        self.done.clear()
        self.pictures.clear()
        if method == "POST":
            address, _, query = url.partition("?")
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            self._send(httpx.Request("POST", address, content=query, headers=form))
        else:
            self._send(httpx.Request("GET", url))
        (tasks,) = (entry["tasks"] for entry in self._commands if fnmatchcase(url, entry["match"]))
        for task in tasks:
            if fnmatchcase(self.page.url, task["match"]):
                for command in task["commands"]:
                    self._do(*command)
                self.done.append(task["task"])
            else:
                assert task.get("optional"), f"{task['task']}: at {self.page.url}"
        return self.page

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _do(self, command: str, kind: str, target: str, *more: Any) -> None:
        match command, kind:
            case "text", "name":
                self.page.type(target, more[0])
            case "click", "id" if self.page.has(target) or "optional" not in more:
                self._send(self.page.click(target))
            case "click", "id":
                pass
            case "wait", "xpath":
                assert re.search(more[1], self.page.text), f"no {more[1]} in {self.page.text}"
                self.pictures.append(self.page.text)
            case "wait", "id":
                assert self.page.has(target), f"no {target} on {self.page.url}"
            case _:
                raise NotImplementedError(command, kind)

    def _send(self, request: httpx.Request) -> None:
        while True:
            if origin_of(str(request.url)) != self._issuer:
                self.page = self._at_the_suite(request)
                return
            answer = self._http.send(
                self._http.build_request(
                    request.method, request.url, content=request.content, headers=_headers(request)
                )
            )
            if answer.next_request is None:
                break
            request = httpx.Request("GET", answer.next_request.url)
        self.page = Page(str(answer.url), answer.text)
        for frame in self.page.frames:
            self._at_the_suite(httpx.Request("GET", frame))
        if self.page.refresh is not None:
            self._send(httpx.Request("GET", urljoin(self.page.url, self.page.refresh)))

    def _at_the_suite(self, request: httpx.Request) -> Page:
        url = request.url
        form = dict(parse_qsl(request.content.decode())) if request.method == "POST" else None
        address = str(url.copy_with(query=None, fragment=None))
        self.received.append(Received(request.method, address, dict(parse_qsl(url.query.decode())), form))
        return Page(str(url), '<p id="submission_complete">Done</p>')

    def take(self) -> list[Received]:
        """What the suite has received since it was asked last."""
        received, self.received = self.received, []
        return received


def _headers(request: httpx.Request) -> dict[str, str]:
    kept = ("content-type", "origin", "sec-fetch-site")
    return {name: value for name, value in request.headers.items() if name in kept}


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
