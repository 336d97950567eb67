"""`/.well-known/*`: what verifiers and clients need to know of this issuer; the same for everyone."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.jose import strict_json
from mapae.jose.jwks import JwkSet

#: Seconds that others may keep the public keys and the metadata.
LIFE_S: Final = 300


@dataclass(frozen=True, slots=True)
class WellKnown:
    """The public documents: issuer metadata (RFC 8414, OpenID Connect Discovery) and key set (RFC 7517)."""

    issuer: str
    keys: JwkSet

    def routes(self) -> list[Route]:
        """The paths of the documents."""
        metadata, keys = _Document(self._metadata()), _Document(self.keys.to_dict())
        return [
            Route("/.well-known/jwks.json", keys.get),
            Route("/.well-known/oauth-authorization-server", metadata.get),
            Route("/.well-known/openid-configuration", metadata.get),
        ]

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer.rstrip('/')}/.well-known/jwks.json",
            # The authorization endpoint is not there yet, so nothing can be asked of it.
            "response_types_supported": [],
            "grant_types_supported": [],
        }


class _Document:
    """JSON that changes with the process only: printed once, with its entity tag."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._body = strict_json.dump(members)
        self._headers = {
            "Cache-Control": f"public, max-age={LIFE_S}",
            "ETag": f'"{hashlib.sha256(self._body).hexdigest()[:16]}"',
            "Access-Control-Allow-Origin": "*",
        }

    async def get(self, request: Request) -> Response:
        """The document, or 304 to who has it."""
        if request.headers.get("if-none-match") == self._headers["ETag"]:
            return Response(status_code=304, headers=self._headers)
        return Response(self._body, headers=self._headers, media_type="application/json")
