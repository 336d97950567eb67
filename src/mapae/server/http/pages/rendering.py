"""Pages as answers: a template in the reader's language, with the headers that every page has."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from babel.dates import format_timedelta
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.server.domain.problems import Problem
from mapae.server.http.answers import NO_STORE
from mapae.server.http.cookies import Cookies
from mapae.server.http.pages.assets import Assets
from mapae.server.http.pages.content_policy import content_policy
from mapae.server.http.pages.languages import Language, Languages, load_languages
from mapae.server.http.pages.words import error_words, scope_words

PACKAGE: Final = "mapae.server.http.pages"


class _Compiled(BytecodeCache):
    """Templates, compiled once in a process: they are the same code in every language."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


class Pages:
    """The pages of an issuer, in every language. Each value is escaped, and one that is missing is an error."""

    def __init__(self, issuer: str) -> None:
        parts = urlsplit(issuer)
        self._languages = Languages(load_languages(), Cookies(https=parts.scheme == "https"))
        self._assets = Assets(parts.path)
        self._environments = {
            language.tag: self._environment(language, host=parts.netloc, base=parts.path)
            for language in self._languages.all
        }

    def routes(self) -> list[Route]:
        """Where the pages have their style and pictures from."""
        return self._assets.routes()

    def answer(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        form_action: str | None = None,
        frames: Sequence[str] = (),
        **context: Any,
    ) -> Response:
        """A page, which is never stored.

        Args:
            template: its name under `templates/`; the comment at its head names the members of `context`.
            headers: further ones.
            form_action: the URL at which a form of the page ends, also by redirects, when it is not ours: the
                content policy allows its origin.
            frames: URLs of frames in the page.
        """
        return_to = context.get("return_to")
        language = self._languages.of(request, return_to)
        body = (
            self._environments[language.tag]
            .get_template(template)
            .render(context, frames=frames, switches=self._languages.switches(request, return_to))
        )
        response = Response(body, status, {**(headers or {}), **NO_STORE}, "text/html")
        response.headers["Content-Security-Policy"] = content_policy(form_action, frames)
        response.headers["Content-Language"] = language.tag
        self._languages.remember(request, response)
        return response

    def problem(self, request: Request, problem: Problem, headers: Mapping[str, str]) -> Response:
        """The page of a refusal or a failure."""
        return self.answer(
            request,
            "error.html",
            status=problem.code.status,
            headers=headers,
            code=problem.code.value,
            words=problem.told,
            incident=problem.members.get("incident"),
        )

    def _environment(self, language: Language, *, host: str, base: str) -> Environment:
        environment = Environment(
            loader=PackageLoader(PACKAGE),
            bytecode_cache=_COMPILED,
            extensions=["jinja2.ext.i18n"],
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.policies["ext.i18n.trimmed"] = True
        environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            host=host,
            base=base,
            language=language,
            asset=self._assets.url,
            error_words=error_words,
            scope_words=scope_words,
            duration=lambda seconds: format_timedelta(seconds, locale=language.tag),
        )
        for name in environment.list_templates():
            environment.get_template(name)  # compiled at start, so that a broken one shows there
        return environment
