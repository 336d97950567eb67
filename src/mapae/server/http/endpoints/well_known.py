"""`/.well-known/*` and `/openapi.json`: what others need to know of this issuer, the same for everyone."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.jose import strict_json
from mapae.jose.jwks import JwkSet
from mapae.server.domain.metadata import metadata
from mapae.server.http import openapi


@dataclass(frozen=True, slots=True)
class Printed:
    """A document as it is sent, with its entity tag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, members: dict[str, Any]) -> "Printed":
        """Print `members`."""
        body = strict_json.dump(members)
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


@dataclass(slots=True)
class WellKnown:
    """The public documents: issuer metadata (RFC 8414, OpenID Connect Discovery) and key set (RFC 7517).

    `keys` returns the key set of the moment, `life_s` is how long others may keep it and the metadata, in seconds.
    """

    issuer: str
    keys: Callable[[], JwkSet]
    life_s: int
    _printed: tuple[JwkSet, Printed] | None = field(default=None, init=False)
    _described: Printed = field(init=False)

    def __post_init__(self) -> None:
        self._described = Printed.of(openapi.document(self.issuer))

    def routes(self) -> list[Route]:
        """The paths of the documents."""
        return [
            Route("/.well-known/jwks.json", self.get_keys),
            Route("/.well-known/oauth-authorization-server", self.get_metadata),
            Route("/.well-known/openid-configuration", self.get_metadata),
            Route("/openapi.json", self.get_openapi),
        ]

    async def get_keys(self, request: Request) -> Response:
        """The key set."""
        keys = self.keys()
        if self._printed is None or self._printed[0] is not keys:
            self._printed = keys, Printed.of(keys.to_dict())
        return self._answer(request, self._printed[1])

    async def get_metadata(self, request: Request) -> Response:
        """The metadata."""
        return self._answer(request, Printed.of(metadata(self.issuer)))

    async def get_openapi(self, request: Request) -> Response:
        """The description of this server's endpoints."""
        return self._answer(request, self._described)

    def _answer(self, request: Request, document: Printed) -> Response:
        headers = {
            "Cache-Control": f"public, max-age={self.life_s}",
            "ETag": document.etag,
            "Access-Control-Allow-Origin": "*",
        }
        if _names(request.headers.get("if-none-match", ""), document.etag):
            return Response(status_code=304, headers=headers)
        return Response(document.body, headers=headers, media_type="application/json")


def _names(if_none_match: str, etag: str) -> bool:
    # RFC 9110 section 13.1.2: a list, compared weakly. Proxies that compress make tags weak.
    named = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(named & {etag, "*"})
