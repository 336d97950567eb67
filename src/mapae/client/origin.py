"""Where a token may travel: origins (RFC 6454), and the rule that it travels encrypted or not at all."""

from typing import Final
from urllib.parse import urlsplit

from mapae.client.errors import Misuse

DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def origin_of(url: str) -> str:
    """The origin a URL belongs to, `scheme://host:port` in lower case, the port always given.

    Raises:
        Misuse: not an absolute http(s) URL, or one that carries a user name.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misuse(f"not a URL: {url!r}") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "\\" in parts.netloc:
        raise Misuse(f"not an absolute http or https URL: {url!r}")
    if parts.username is not None or parts.password is not None:
        raise Misuse("a URL must not carry a user name or password")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{DEFAULT_PORTS[parts.scheme] if port is None else port}"


def protected_origin(url: str) -> str:
    """The origin of a URL a token may be sent to: https, or http on this very machine (RFC 6750 section 5.3).

    Raises:
        Misuse: plain http to another machine, or not a URL at all.
    """
    origin = origin_of(url)
    if origin.startswith("http://") and not _is_loopback(urlsplit(origin).hostname or ""):
        raise Misuse(f"{url} is not encrypted; use https (http is for this machine only)")
    return origin


def issuer_url(url: str) -> str:
    """The issuer identifier a person typed, without a closing slash, safe to send a password to.

    Raises:
        Misuse: no protected origin, or with a query or fragment (RFC 8414 section 2).
    """
    protected_origin(url)
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise Misuse(f"an issuer has no query and no fragment: {url!r}")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or (
        host.startswith("127.") and host.replace(".", "").isdecimal() and host.count(".") == 3
    )
