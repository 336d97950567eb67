"""Bearer tokens in requests, and the challenge that asks for one (RFC 6750)."""

import re
from collections.abc import Sequence
from typing import Final

from mapae.oauth.errors import ErrorCode, OAuthError

#: Longer tokens are refused unseen; most servers allow a request 8 KiB or more of headers.
MAX_TOKEN_LENGTH: Final = 8192

_B64TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_IN_QUERY: Final = re.compile(r"(?:^|[&;])access_token=")
_NOT_ALLOWED: Final = re.compile(r"[^\x20\x21\x23-\x5B\x5D-\x7E]")


def presented(authorization: Sequence[str], *, query: str = "") -> str | None:
    """The bearer token of a request, or None when the request brings none.

    Args:
        authorization: the value of each `Authorization` header
        query: the query string, percent-encoded; a token in it is never accepted (RFC 9700 section 4.3.2)
    Raises:
        OAuthError: INVALID_REQUEST when there is more than one `Authorization` header, or a token in the
            query beside the header; INVALID_TOKEN when what follows the scheme is no b64token, or longer
            than 8192 characters.

    Implements: RFC 6750 sections 2 and 2.1. Credentials of another scheme count as none (section 3.1).
    Does not check: whether the body holds a token too; it is not read.
    """
    if not authorization:
        return None
    if len(authorization) > 1:
        raise OAuthError(ErrorCode.INVALID_REQUEST, detail=f"{len(authorization)} Authorization headers")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.lstrip(" ")  # RFC 6750 section 2.1: "Bearer" 1*SP b64token
    # RFC 6750 section 2: clients MUST NOT use more than one method to transmit the token in each request.
    if query and _IN_QUERY.search(query):
        raise OAuthError(ErrorCode.INVALID_REQUEST, detail="a token in the header and one in the query")
    if len(token) > MAX_TOKEN_LENGTH or _B64TOKEN.fullmatch(token) is None:
        raise OAuthError(ErrorCode.INVALID_TOKEN, detail="no b64token, or too long a one, after Bearer")
    return token


def challenge(scheme: str = "Bearer", /, **parameters: str | None) -> str:
    """A `WWW-Authenticate` value; parameters keep their order and those that are None are left out.

    Args:
        parameters: `realm`, `scope`, `error`, `error_description` (RFC 6750 section 3), `acr_values`,
            `max_age` (RFC 9470 section 3), `resource_metadata` (RFC 9728 section 5.1). What these may not
            hold (quotes, backslashes, controls, all beyond ASCII) becomes a question mark.
    """
    printed = ", ".join(
        f'{name}="{_NOT_ALLOWED.sub("?", value)}"' for name, value in parameters.items() if value is not None
    )
    return f"{scheme} {printed}".rstrip()
