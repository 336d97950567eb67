"""The content security policy of a page: own style, script and pictures, and nothing written into the page."""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

#: What a host source can name (CSP3 section 2.3.1, host-char); an IPv6 address it cannot.
_HOST: Final = re.compile(r"[a-z0-9.-]+")


def content_policy(form_action: str | None, frames: Sequence[str]) -> str:
    """The value of `Content-Security-Policy`.

    Args:
        form_action: the URL at which a form of the page ends, when it is not ours
        frames: the URLs of frames
    """
    directives = {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "img-src": ["'self'"],
        # Browsers hold the redirects after a form's submission to this too, and those lead to clients.
        "form-action": ["'self'", "https:", *_sources([form_action] if form_action else [])],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
    if frames:
        directives["frame-src"] = list(_sources(frames))
    return "; ".join(f"{name} {' '.join(dict.fromkeys(sources))}" for name, sources in directives.items())


def _sources(urls: Sequence[str]) -> Iterator[str]:
    """The origin of each URL; the scheme alone where an origin cannot be named, nothing where there is none."""
    for url in urls:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:  # a host or a port that cannot be read
            continue
        if host and _HOST.fullmatch(host):
            yield f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        elif parts.scheme:
            yield f"{parts.scheme}:"
