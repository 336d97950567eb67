"""Redirect URIs: judged when they are registered, and compared character by character ever after."""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import SplitResult, urlsplit

from mapae.oauth.errors import ErrorCode, OAuthError

_MAX_LENGTH: Final = 2000
#: What RFC 3986 lets stand in a URI: each percent sign with its two digits.
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_LOOPBACK_LITERAL: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?(?=[/?]|$)")


def registered(uri: str, application_type: str) -> str:
    """The same `uri`, once it is found to be one that an authorization response may be sent to.

    Args:
        application_type: "web": https. "native": https, http on this machine (127.0.0.1, [::1] or localhost), or
            a private-use scheme that is a domain name in reverse order.
    Raises:
        OAuthError: INVALID_REDIRECT_URI; `description` says what is wrong, as the second half of a sentence.

    Implements: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 sections 2.6 and 4.1.3, OpenID Connect
        Registration section 2. Spellings that browsers rewrite (dot segments, capitals in scheme or host) are
        refused: what is compared later has to be what the browser goes to.
    """
    parts = _parts(uri)
    if parts.scheme == "https":
        return uri
    if application_type != "native":
        raise _wrong("has to be https; http on this machine and private-use schemes are for native clients")
    if parts.scheme == "http":
        if parts.hostname not in _LOOPBACK:
            raise _wrong("has to be https unless it is on this machine: 127.0.0.1, [::1] or localhost")
    # RFC 8252 section 8.4: at the minimum, refuse private-use schemes without a period.
    elif "." not in parts.scheme:
        raise _wrong("has a scheme that is no domain name in reverse order, as in com.example.app:/callback")
    return uri


def matches(registered: Collection[str], asked: str) -> bool:
    """Whether a request may name `asked`: one of the registered URIs, character by character.

    On the loopback literals 127.0.0.1 and [::1], for native clients, the port may be any.

    Implements: RFC 9700 section 4.1.3, RFC 8252 section 7.3.
    """
    return asked in registered or _without_port(asked) in {_without_port(uri) for uri in registered}


def is_for_native_only(uri: str) -> bool:
    """Whether only a native client can have `uri`: it is not https, and `registered` takes it for one."""
    try:
        return not registered(uri, "native").startswith("https:")
    except OAuthError:
        return False


def _parts(uri: str) -> SplitResult:
    if "#" in uri:
        raise _wrong("has a fragment")
    if len(uri) > _MAX_LENGTH or not _URI.fullmatch(uri):
        raise _wrong(
            f"is no absolute URI of at most {_MAX_LENGTH} characters, scheme in lower case, the rest in ASCII "
            "and percent-encoded"
        )
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise _wrong("has a host or port that cannot be read") from None
    if parts.scheme in ("http", "https"):
        if parts.username is not None or "@" in parts.netloc:
            raise _wrong("has a user name before its host")
        if port == 0 or not _HOST.fullmatch(parts.hostname or "") or parts.netloc != parts.netloc.lower():
            raise _wrong("needs a host in lower case, and a port other than 0 if it has one")
    if _DOT_SEGMENT.search(parts.path):
        raise _wrong("has a segment of dots in its path")
    return parts


def _without_port(uri: str) -> str:
    """A URI on a loopback literal as it is without its port; any other as it is."""
    found = _LOOPBACK_LITERAL.match(uri)
    if found is None or int(found[2] or 0) > 65535:
        return uri
    return found[1] + uri[found.end() :]


def _wrong(what: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_REDIRECT_URI, detail=what, description=what)
