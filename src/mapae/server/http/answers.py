"""JSON answers."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from mapae.jose import strict_json

NO_STORE: Final[Mapping[str, str]] = {"Cache-Control": "no-store"}
#: As RFC 6749 section 5.1 has it, for clients that look for both.
NO_STORE_OAUTH: Final[Mapping[str, str]] = {**NO_STORE, "Pragma": "no-cache"}


def json_answer(
    members: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] = NO_STORE,
    media_type: str = "application/json",
) -> Response:
    """`members` as the body; not to be stored unless `headers` say otherwise."""
    return Response(strict_json.dump(members), status, headers, media_type)
