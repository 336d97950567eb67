"""When an authorization request began: a stamp that it carries while the user signs in and is asked.

The server keeps no state of a request under way. The parameter `began` is added to the request as it travels through
our own pages: `<NumericDate seconds>.<MAC>`, the MAC over the seconds and all the other parameters. So "signed in
since the request began" and "consented in this request" can be decided by comparing moments, and nobody can carry a
stamp over to another request.
"""

import hashlib
import hmac
import re
from typing import Final

from mapae.jose import base64url
from mapae.oauth.parameters import Parameters

PARAMETER: Final = "began"
#: Seconds a stamp is good for: how long a person may take to sign in and to decide.
LIFE_S: Final = 3600

_STAMP: Final = re.compile(r"([0-9]{1,10})\.([A-Za-z0-9_-]{43})", re.ASCII)


def stamped(parameters: Parameters, key: bytes, *, began: int) -> Parameters:
    """The request with a stamp of when it began, in place of any other."""
    return parameters.and_one(PARAMETER, f"{began}.{_mac(parameters, began, key)}")


def began_at(parameters: Parameters, key: bytes, *, now: int) -> int | None:
    """When the request began, or None when it begins now: without a stamp, or with one that is not (any more) good.

    A stamp of exactly `LIFE_S` ago is over.
    """
    stamps = parameters.all(PARAMETER)
    found = _STAMP.fullmatch(stamps[0]) if len(stamps) == 1 else None
    if found is None:
        return None
    began = int(found[1])
    if not hmac.compare_digest(found[2], _mac(parameters, began, key)):
        return None
    return began if now < began + LIFE_S else None


def _mac(parameters: Parameters, began: int, key: bytes) -> str:
    text = f"{began}.{parameters.without(PARAMETER).to_query()}"
    return base64url.encode(hmac.digest(key, text.encode(), hashlib.sha256))
