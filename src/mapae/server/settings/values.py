"""What the value of one setting may look like.

Every function takes text from the environment or a value from TOML, returns the typed value, and raises
ValueError with the second half of a sentence: what is wrong, never what was given when that may be secret.
"""

import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from mapae.jose import base64url
from mapae.jose.errors import JoseError
from mapae.secret import Secret

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What may stand behind the question mark of a postgresql:// URL.
_PARAMETERS = frozenset({"host", "password", "port", "sslmode", "user"})


def whole_number(value: object) -> object:
    """An int, or one in ASCII digits. True is no number."""
    if isinstance(value, bool):
        raise ValueError("is not a number")  # noqa: TRY004 - pydantic collects ValueError only
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError("is not a whole number")
    return value


def switch(value: object) -> bool:
    """A bool, or one of true, false, 1, 0 in letters of any case."""
    if isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def networks(value: object) -> tuple[Network, ...]:
    """Addresses and CIDR networks; not the whole internet, since anyone could then claim any address."""
    found = tuple(_network(item) for item in _items(value))
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("names the whole internet")
    return found


def hosts_or_networks(value: object) -> tuple[Network | str, ...]:
    """Host names in lower case, addresses and CIDR networks."""
    return tuple(_host_or_network(item) for item in _items(value))


def readable_file(value: object) -> Path | None:
    """A file that exists and that this process may read, or None."""
    if value is None:
        return None
    path = Path(_text(value))
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError("does not name a file this process can read")
    return path


def issuer(value: object) -> str:
    """An issuer identifier: compared byte by byte everywhere, therefore refused rather than repaired.

    Implements: RFC 8414 section 2; http only for a host that is this machine.
    """
    text = _text(value)
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("has spaces or characters outside ASCII")
    if re.search(r"[?#\\]", text):
        raise ValueError("has a query, a fragment or a backslash")
    if text.endswith("/"):
        raise ValueError("ends in a slash, which every token would have to repeat")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has a host or port that cannot be read") from None
    if not host or parts.username is not None or parts.netloc != parts.netloc.lower():
        raise ValueError("needs a host in lower case, and no user name")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("is not https, and its host is not this machine")
    return text


def database_url(value: object) -> Secret:
    """sqlite:///path (four slashes for an absolute one) or postgresql://… with a database."""
    text = _secret_text(value)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("has a host or port that cannot be read") from None
    match parts.scheme:
        case "sqlite":
            if not re.fullmatch(r"sqlite:///[^?#]+", text) or text.endswith((":memory:", "/")):
                raise ValueError("does not name a database file")
        case "postgresql":
            if "@" in parts.path:
                raise ValueError("has a user or password whose special characters are not percent-encoded")
            if not parts.path.strip("/"):
                raise ValueError("does not name a database")
            if not {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} <= _PARAMETERS:
                raise ValueError(f"has parameters other than {', '.join(sorted(_PARAMETERS))}")
        case _:
            raise ValueError("is neither sqlite:/// nor postgresql://")
    return Secret(text)


def secret_key(value: object) -> Secret:
    """32 bytes or more in canonical base64url."""
    text = _secret_text(value)
    try:
        size = len(base64url.decode(text))
    except JoseError:
        raise ValueError("is not base64url without padding") from None
    if size < 32:
        raise ValueError(f"holds {size} bytes")
    return Secret(text)


def text(value: object) -> str | None:
    """Any text but none at all, or None."""
    return None if value is None else _text(value)


def secret(value: object) -> Secret | None:
    """The same, as a secret."""
    return None if value is None else Secret(_secret_text(value))


def secret_keys(value: object) -> tuple[Secret, ...]:
    """Several of them."""
    items = (
        [value.reveal() if isinstance(value, Secret) else value for value in value]
        if isinstance(value, list | tuple)
        else value
    )
    return tuple(secret_key(item) for item in _items(items))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("is empty or not text")
    return value


def _secret_text(value: object) -> str:
    return value.reveal() if isinstance(value, Secret) else _text(value)


def _items(value: object) -> list[str]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("is not a list of texts")
    return list(value)


def _network(text: str) -> Network:
    try:
        whole = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"holds {text!r}, which is no address or network") from None
    if ipaddress.ip_interface(text).ip != whole.network_address:
        raise ValueError(f"holds {text!r}, an address inside the network {whole}")
    return whole


def _host_or_network(text: str) -> Network | str:
    if re.fullmatch(r"(?=.*[a-z])[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text.lower()):
        return text.lower()
    return _network(text)
