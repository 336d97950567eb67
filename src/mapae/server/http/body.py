"""JSON bodies: bounded, strictly parsed, read member by member."""

from typing import Any, Final

from starlette.requests import Request

from mapae.jose import strict_json
from mapae.jose.errors import JoseError
from mapae.server.domain.problems import Problem, ProblemCode

#: 1,024 characters of a password, each escaped, and room for the rest.
BODY_LIMIT: Final = 16 * 1024


class Body:
    """The members of a JSON object. Unknown ones are ignored; a known one of another type is a problem."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def text(self, name: str) -> str:
        """A string that has to be there.

        Raises:
            Problem: INVALID_REQUEST, naming the member.
        """
        value = self.optional_text(name)
        if value is None:
            raise Problem(ProblemCode.INVALID_REQUEST, told=f"The member `{name}` is missing.")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, or None where it is absent or null.

        Raises:
            Problem: INVALID_REQUEST, naming the member.
        """
        value = self._members.get(name)
        if value is None or isinstance(value, str):
            return value
        raise Problem(ProblemCode.INVALID_REQUEST, told=f"The member `{name}` has to be a string.")


async def read_body(request: Request, *, optional: bool = False) -> Body:
    """The body of a request, which has to be a JSON object.

    Args:
        optional: an empty body is taken for an empty object.
    Raises:
        Problem: UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, REQUEST_TIMEOUT, INVALID_REQUEST.
    """
    raw = await read_bytes(request)
    if not raw and optional:
        return Body({})
    # A form or text body can be sent by any web page without asking; JSON cannot.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA_TYPE)
    try:
        return Body(strict_json.parse_object(raw))
    except JoseError as error:
        raise Problem(
            ProblemCode.INVALID_REQUEST, detail=error.detail, told="The body has to be a JSON object."
        ) from None


async def read_bytes(request: Request, *, limit: int = BODY_LIMIT) -> bytes:
    """The body of a request as it is.

    Args:
        limit: how many bytes it may have.
    Raises:
        Problem: BODY_TOO_LARGE, REQUEST_TIMEOUT.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > limit:
        raise Problem(ProblemCode.BODY_TOO_LARGE)
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            # The caller went away, or the protocol's patience with it was over.
            raise Problem(ProblemCode.REQUEST_TIMEOUT, detail="the body did not arrive")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise Problem(ProblemCode.BODY_TOO_LARGE)
    return body
