"""The access token of an HTTP request."""

from collections.abc import Sequence

from mapae.oauth import bearer
from mapae.oauth.errors import OAuthError
from mapae.verifier.errors import RejectionCode, TokenRejected


def presented_token(authorization: Sequence[str], *, query: str = "") -> str | None:
    """What to hand to `verify`: the bearer token of a request, None when there is none.

    Args:
        authorization: the value of each `Authorization` header
        query: the query string, percent-encoded; a token in it is never accepted
    Raises:
        TokenRejected: MALFORMED; its status is 400 when the request presents a token in two ways.

    Implements: RFC 6750 section 2.1, as `mapae.oauth.bearer` does.
    """
    try:
        return bearer.presented(authorization, query=query)
    except OAuthError as error:
        raise TokenRejected(RejectionCode.MALFORMED, error.detail, error=error.code) from None
