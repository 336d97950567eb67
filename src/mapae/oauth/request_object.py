"""The request object (OpenID Connect Core section 6.1): not supported, and refused where its client looks."""

from collections.abc import Mapping
from typing import Final

from mapae.jose import jws, jwt
from mapae.jose.errors import JoseError

_OF_THE_ANSWER: Final = ("response_mode", "state")


def answered_by(request_object: str) -> Mapping[str, str]:
    """How the object wants to be answered: its `response_mode` and `state`, as far as they can be read.

    Does not check: any signature. Whoever sends the object could as well send both beside it; nothing else of it is
    looked at.
    """
    try:
        claims = jwt.parse_claims(jws.split(request_object).payload)
    except JoseError:
        return {}
    return {name: value for name in _OF_THE_ANSWER if isinstance(value := claims.get(name), str) and value}
