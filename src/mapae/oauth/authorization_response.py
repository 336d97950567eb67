"""The authorization response: what goes back to the client, and in which part of a request (RFC 6749 section 4.1.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from mapae.oauth.errors import OAuthError


class ResponseMode(StrEnum):
    """How the members of a response travel (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where the answer to a request goes, once its redirect URI is trusted, and the `state` that goes with it."""

    redirect_uri: str
    mode: ResponseMode
    state: str | None

    def code(self, code: str, *, issuer: str) -> "AuthorizationResponse":
        """The answer that hands out a code."""
        return self._response({"code": code}, issuer)

    def error(self, error: OAuthError, *, issuer: str) -> "AuthorizationResponse":
        """The answer that refuses (RFC 6749 section 4.1.2.1)."""
        return self._response({"error": error.code.value, "error_description": error.description}, issuer)

    def _response(self, members: dict[str, str], issuer: str) -> "AuthorizationResponse":
        if self.state is not None:
            members["state"] = self.state
        # RFC 9207 section 2: also in error responses, so that a client can tell servers apart.
        return AuthorizationResponse(self.redirect_uri, self.mode, members | {"iss": issuer})


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """An answer. In the mode `form_post` a page has `members` posted to `redirect_uri`; else see `location`."""

    redirect_uri: str
    mode: ResponseMode
    members: Mapping[str, str]

    def location(self) -> str:
        """Where to send the browser, for the modes `query` and `fragment`."""
        separator = "#"
        if self.mode is ResponseMode.QUERY:
            # RFC 6749 section 3.1.2: a query that the redirect URI has MUST be retained.
            separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(self.members)}"
