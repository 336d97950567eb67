"""Requests for pages, without a server."""

from starlette.requests import Request


def asked(query: str = "", method: str = "GET", **headers: str) -> Request:
    """A request for a page; `_` stands for `-` in the names of headers."""
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/login",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
    )
