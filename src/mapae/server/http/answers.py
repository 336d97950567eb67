"""JSON answers."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from mapae.jose import strict_json

NO_STORE: Final[Mapping[str, str]] = {"Cache-Control": "no-store"}


def json_answer(
    members: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] = NO_STORE,
    media_type: str = "application/json",
) -> Response:
    """`members` as the body; not to be stored unless `headers` say otherwise."""
    return Response(strict_json.dump(members), status, headers, media_type)
