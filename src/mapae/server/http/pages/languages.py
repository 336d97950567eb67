"""Languages of the pages: which there are, which one a reader gets, and how to choose another without a script."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from pathlib import PurePath
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request
from starlette.responses import Response

from mapae.secret import Secret
from mapae.server.http.cookies import LANGUAGE, Cookies

#: The parameter of an address, by which a reader changes the language.
SWITCH: Final = "lang"
REMEMBERED_S: Final = 365 * 24 * 3600
_QUALITY: Final = re.compile(r"\s*q=([01](?:\.\d{1,3})?)\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its tag (BCP 47, lower case), its name in itself, and its words."""

    tag: str
    name: str
    translations: NullTranslations


@dataclass(frozen=True, slots=True)
class Switch:
    """A language that the reader may choose. `href` is None for the present one."""

    language: Language
    href: str | None


def load_languages() -> list[Language]:
    """English, in which the pages are written, and each language of the folder `translations`."""
    languages = [_language("en", NullTranslations())]
    for file in sorted((files(__package__) / "translations").iterdir(), key=lambda file: file.name):
        compiled = BytesIO()
        write_mo(compiled, read_po(BytesIO(file.read_bytes())))
        compiled.seek(0)
        languages.append(_language(PurePath(file.name).stem, GNUTranslations(compiled)))
    return languages


def _language(tag: str, translations: NullTranslations) -> Language:
    return Language(tag, Locale.parse(tag).get_display_name() or tag, translations)


class Languages:
    """The languages; the first one is for those who speak none of them."""

    def __init__(self, languages: Sequence[Language], cookies: Cookies) -> None:
        self.all = tuple(languages)
        self._by_tag = {language.tag: language for language in languages}
        self._cookies = cookies

    def of(self, request: Request, return_to: str | None) -> Language:
        """What the reader chose here, else what the client asks for, else what the browser asks for.

        Args:
            return_to: the authorization request that the page is for, as a relative URL

        Implements: OpenID Connect Core section 3.1.2.1 (`ui_locales`), RFC 9110 section 12.5.4, both with the
            lookup of RFC 4647 section 3.4, of which the whole tag and its first subtag are tried.
        """
        for wish in self._wishes(request, return_to):
            tag = wish.lower()
            if found := self._by_tag.get(tag) or self._by_tag.get(tag.partition("-")[0]):
                return found
        return self.all[0]

    def switches(self, request: Request, return_to: str | None) -> list[Switch]:
        """Every language, with the address of this page in it; none when the page has no address of its own."""
        if request.method in {"GET", "HEAD"}:
            query = [item for item in request.query_params.multi_items() if item[0] != SWITCH]
        elif return_to:
            query = [("return_to", return_to)]
        else:
            return []
        present = self.of(request, return_to)
        return [
            Switch(each, None if each is present else "?" + urlencode([*query, (SWITCH, each.tag)]))
            for each in self.all
        ]

    def remember(self, request: Request, response: Response) -> None:
        """Let the browser keep the language that the reader chose with this request."""
        if (chosen := request.query_params.get(SWITCH)) in self._by_tag:
            self._cookies.set(response, LANGUAGE, Secret(chosen), life_s=REMEMBERED_S)

    def _wishes(self, request: Request, return_to: str | None) -> Iterator[str]:
        yield request.query_params.get(SWITCH, "")
        if kept := self._cookies.read(request, LANGUAGE):
            yield kept.reveal()
        yield from request.query_params.get("ui_locales", "").split(" ")
        for locales in parse_qs(urlsplit(return_to or "").query).get("ui_locales", ()):
            yield from locales.split(" ")
        yield from _accepted(request.headers.get("accept-language", ""))


def _accepted(header: str) -> list[str]:
    """The languages of an `Accept-Language`, best first."""
    weighted = []
    for item in header.split(","):
        tag, _, parameters = item.partition(";")
        quality = _QUALITY.fullmatch(parameters)
        weighted.append((float(quality[1]) if quality else 1.0, tag.strip()))
    return [tag for quality, tag in sorted(weighted, key=lambda each: -each[0]) if quality > 0]
