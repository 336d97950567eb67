"""Orders: everyone sees and adds their own; an admin who has just signed in clears them all."""

import json
from collections.abc import Iterable
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mapae import AccessToken, Verifier
from mapae.integrations.wsgi import BearerMiddleware
from mapae.verifier import Needs


def orders_app(verifier: Verifier) -> WSGIApplication:
    """The application: every request needs a token."""
    items: list[tuple[str, str]] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        token: AccessToken = environ["mapae.token"]
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "GET", "/orders":
                token.require("orders:read")
                start_response("200 OK", [("Content-Type", "application/json")])
                own = [item for owner, item in items if owner == token.subject]
                return [json.dumps({"orders": own}).encode()]
            case "POST", "/orders":
                token.require("orders:write")
                items.append((token.subject, parse_qs(environ["QUERY_STRING"])["item"][0]))
                start_response("201 Created", [("Content-Length", "0")])
            case "DELETE", "/orders":
                verifier.recheck(token, Needs(scopes=["orders:write"], roles=["admin"], fresh_s=300))
                items.clear()
                start_response("204 No Content", [])
            case _:
                start_response("404 Not Found", [("Content-Length", "0")])
        return []

    return BearerMiddleware(application, verifier, realm="orders")
