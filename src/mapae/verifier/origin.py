"""Where keys may come from: https, or this machine."""

import re
from typing import Final

_LOOPBACK: Final = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1", re.IGNORECASE)


def is_protected(url: str) -> bool:
    """Whether nobody in between can change what comes from `url`: https, or http to this machine."""
    from urllib.parse import urlsplit  # not needed by who has the keys

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    return _LOOPBACK.fullmatch(host) is not None
