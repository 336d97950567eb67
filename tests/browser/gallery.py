"""Every page in every state, each at an address of its own: what the real server shows only after a long way."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mapae.server.http.pages.rendering import Pages
from tests.server.http.pages.contexts import HOSTILE, contexts
from tests.server.http.pages.fronted import fronted

_PLAIN: Final = contexts("Hanok Tea House")
_LOGIN: Final = _PLAIN["login.html"] | {"username": "alice"}
_CONSENT: Final = _PLAIN["consent.html"] | {"username": "alice"}
_WEB: Final = _CONSENT["client"] | {"native": False, "tos_uri": "https://app.example.com/terms"}
_SCOPES: Final = ("openid", "profile", "email", "address", "phone", "offline_access", "orders:read")

#: Template and context of each state, by name.
STATES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "login": ("login.html", _LOGIN | {"problem": None, "username": ""}),
    "login-wrong": ("login.html", _LOGIN | {"problem": "invalid_credentials"}),
    "login-later": ("login.html", _LOGIN),
    "consent": (
        "consent.html",
        _CONSENT | {"client": _WEB, "scopes": [{"name": scope} for scope in _SCOPES]},
    ),
    "consent-native": ("consent.html", _CONSENT | {"scopes": [{"name": "openid"}]}),
    "error": (
        "error.html",
        {
            "code": "unregistered_redirect_uri",
            "words": "The address to return to is not registered for the application.",
            "incident": None,
        },
    ),
    "error-ours": (
        "error.html",
        {"code": "server_error", "words": "Something went wrong here.", "incident": "q3vJx0a9TzKe"},
    ),
    "logout": ("logout.html", _PLAIN["logout.html"] | {"username": "alice"}),
    "signed-in": ("signed_in.html", {"username": "alice"}),
    "signed-out": ("signed_out.html", {"client_name": None, "continue_to": None}),
    "form-post": ("form_post.html", _PLAIN["form_post.html"]),
    **{f"hostile-{name[:-5]}": (name, context) for name, context in contexts(HOSTILE).items()},
}
#: Those that a script does not leave at once, with the words of decent people.
STAYING: Final = [name for name in STATES if name != "form-post" and not name.startswith("hostile-")]


def gallery(issuer: str, client: str) -> ASGIApp:
    """An application that shows each state at `/NAME`, and answers for the client whose URL begins with `client`."""
    pages = Pages(issuer)

    async def show(request: Request) -> Response:
        template, context = STATES[request.url.path.removeprefix("/")]
        if "action" in context:
            context = context | {"action": f"{client}/callback"}
        return pages.answer(request, template, form_action=client, **context)

    async def received(request: Request) -> Response:
        return HTMLResponse(f"<title>Client</title><pre>{(await request.body()).decode()}</pre>")

    return fronted(
        pages,
        *(Route(f"/{name}", show) for name in STATES),
        Route("/callback", received, methods=["POST"]),
        Route("/login", received, methods=["POST"]),
    )
