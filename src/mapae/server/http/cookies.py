"""Our cookies: what a browser is known by. None of them is readable by scripts, or sent to another host."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from mapae.secret import Secret

#: Who is signed in.
SESSION: Final = "mapae"
#: What a form has to come with: see http/csrf.
FORMS: Final = "mapae-csrf"
#: That this browser has signed in to an account before: see domain/limits.
DEVICE: Final = "mapae-device"
#: The language that the reader chose: see http/pages/languages.
LANGUAGE: Final = "mapae-language"
#: Seconds that a browser is known as a device: as long as the server remembers it.
DEVICE_LIFE_S: Final = 180 * 86400

_MAX_LENGTH: Final = 128


@dataclass(frozen=True, slots=True)
class Cookies:
    """With https they are `__Host-` cookies, which neither a sibling domain nor plain http can set (RFC 6265bis 4.1.3).

    Without, which is for development on this machine, browsers would not take such names.
    """

    https: bool

    def read(self, request: Request, name: str) -> Secret | None:
        """The value of a cookie; None where there is none, more than one, or one that is none of ours."""
        wanted = self._name(name)
        values = {
            value.strip()
            for header in request.headers.getlist("cookie")
            for known, _, value in (pair.partition("=") for pair in header.split(";"))
            if known.strip() == wanted
        }
        value = values.pop() if len(values) == 1 else ""
        return Secret(value) if 0 < len(value) <= _MAX_LENGTH and value.isascii() else None

    def set(self, response: Response, name: str, value: Secret, *, life_s: int | None = None) -> None:
        """Have the browser keep a cookie: for so many seconds, or until it is closed."""
        response.set_cookie(
            self._name(name),
            value.reveal(),
            max_age=life_s,
            path="/",
            secure=self.https,
            httponly=True,
            samesite="lax",
        )

    def clear(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        self.set(response, name, Secret(""), life_s=0)

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.https else name
