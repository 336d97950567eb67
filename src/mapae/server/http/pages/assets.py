"""`/static/*`: style, script and picture of the pages, kept by browsers for ever under names that hold a digest."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    media_type: str


class Assets:
    """The files of the folder `static`. `base` is the path of the issuer, which stands before their addresses."""

    def __init__(self, base: str) -> None:
        self._urls: dict[str, str] = {}
        self._published: dict[str, Asset] = {}
        for file in (files(__package__) / "static").iterdir():
            body, path = file.read_bytes(), PurePath(file.name)
            published = f"{path.stem}.{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
            self._urls[file.name] = f"{base}/static/{published}"
            self._published[published] = Asset(body, _MEDIA_TYPES[path.suffix])

    def url(self, name: str) -> str:
        """The address of the file of that name."""
        return self._urls[name]

    def routes(self) -> list[Route]:
        """The one path pattern."""
        return [Route("/static/{name}", self.get_asset)]

    async def get_asset(self, request: Request) -> Response:
        """A file."""
        asset = self._published.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        return Response(asset.body, headers=_FOR_EVER, media_type=asset.media_type)
