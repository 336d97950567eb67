"""Forms that only our own pages can send (RFC 9700 section 4.7.1, OWASP ASVS 5.0 section 3.5).

The browser has a random cookie. Each form carries the MAC of that cookie and of the session's, so a form of one
session is worth nothing in another, and who cannot read our pages cannot make one.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from mapae.entropy import Entropy
from mapae.jose import base64url
from mapae.oauth.form import Form
from mapae.secret import Secret
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.cookies import FORMS, SESSION, Cookies

#: The name of the hidden field.
FIELD: Final = "csrf"

_COOKIE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Csrf:
    """`key` is derived for this purpose alone; `issuer` is where our pages are."""

    cookies: Cookies
    key: bytes
    issuer: str
    entropy: Entropy

    def cookie(self, request: Request) -> Secret:
        """What the browser has, or shall have from now on: hand it to `field` and to `keep`."""
        return self.cookies.read(request, FORMS) or Secret(base64url.encode(self.entropy(_COOKIE_BYTES)))

    def field(self, request: Request, cookie: Secret) -> str:
        """The value of the hidden field in a form for this browser."""
        session = self.cookies.read(request, SESSION)
        text = cookie.digest() + (session.digest() if session else b"")
        return base64url.encode(hmac.digest(self.key, text, hashlib.sha256))

    def keep(self, response: Response, cookie: Secret) -> None:
        """Have the browser send the cookie with the form."""
        self.cookies.set(response, FORMS, cookie)

    def require(self, request: Request, form: Form) -> None:
        """Check that a form comes from a page of ours, made for this browser and its session.

        Raises:
            Problem: CROSS_SITE_REQUEST.
        """
        # Our pages send no referrer, so browsers say `Origin: null` of their forms; then Sec-Fetch-Site tells.
        origin = request.headers.get("origin", "null")
        if origin not in ("null", _origin(self.issuer)):
            raise Problem(ProblemCode.CROSS_SITE_REQUEST, detail="Origin is another")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Problem(ProblemCode.CROSS_SITE_REQUEST, detail="Sec-Fetch-Site says so")
        cookie = self.cookies.read(request, FORMS)
        if cookie is None:
            raise Problem(ProblemCode.CROSS_SITE_REQUEST, detail="no cookie for forms")
        if not hmac.compare_digest(form.get(FIELD, "").encode(), self.field(request, cookie).encode()):
            raise Problem(
                ProblemCode.CROSS_SITE_REQUEST, detail="the form was made for another browser or session"
            )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
