"""What a token says of itself. Nothing here is checked: good enough to be careful with the user's own token."""

from collections.abc import Mapping
from typing import Any

from mapae.client.errors import Misuse
from mapae.client.origin import protected_origin
from mapae.jose import base64url, strict_json
from mapae.jose.errors import JoseError


def claims_of(token: str) -> Mapping[str, Any]:
    """The claims of a signed token in compact form; of any other token, none."""
    try:
        return strict_json.parse_object(base64url.decode(token.split(".")[1]))
    except (JoseError, IndexError):
        return {}


def origins_of(token: str) -> set[str]:
    """The origins a token names itself: its issuer, and those of its audience."""
    claims = claims_of(token)
    return origins_in(claims.get("iss")) | origins_in(claims.get("aud"))


def origins_in(claim: object) -> set[str]:
    """The origins among the URLs of a claim, a string or several, that a token may be sent to."""
    origins: set[str] = set()
    for url in claim if isinstance(claim, list) else [claim]:
        try:
            origins.add(protected_origin(str(url)))
        except Misuse:
            continue
    return origins
