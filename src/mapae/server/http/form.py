"""Forms in the bodies of requests."""

from typing import Final

from starlette.requests import Request

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.form import Form
from mapae.server.http.body import BODY_LIMIT, read_bytes

_TYPE: Final = "application/x-www-form-urlencoded"
_CHARSETS: Final = ("", "charset=utf-8", 'charset="utf-8"')


async def read_form(request: Request, *, limit: int = BODY_LIMIT) -> Form:
    """The form in the body of a request.

    Args:
        limit: how many bytes it may have.
    Raises:
        OAuthError: INVALID_REQUEST when it is of another media type or charset, or no sound form.
        Problem: BODY_TOO_LARGE, REQUEST_TIMEOUT.
    """
    body = await read_bytes(request, limit=limit)
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != _TYPE or parameters.strip() not in _CHARSETS:
        raise OAuthError(
            ErrorCode.INVALID_REQUEST,
            detail="another content type",
            description=f"The body has to be {_TYPE} in UTF-8.",
        )
    return Form.parse(body)
