"""Bearer tokens for Flask views.

guard = Guard(verifier)

@app.get("/orders")
@guard.require("orders:read")
def orders():
    return orders_of(guard.token.subject)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import Response, current_app, g, request

from mapae.integrations.refusal import refusal
from mapae.verifier import AccessToken, TokenRejected, Verifier, Verifiers, presented_token

View = Callable[..., Any]


class Guard:
    """Lets views be called with a valid access token only."""

    def __init__(
        self,
        verifier: Verifier | Verifiers,
        *,
        realm: str = "api",
        resource_metadata: str | None = None,
    ) -> None:
        """
        Args:
            realm: names what is protected, in the challenge
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728)
        """
        self._verifier: Final = verifier
        self._realm: Final = realm
        self._resource_metadata: Final = resource_metadata

    @property
    def token(self) -> AccessToken:
        """The access token of the request; only in views under `require`."""
        token: AccessToken = g.mapae_token
        return token

    def require(self, *scopes: str) -> Callable[[View], View]:
        """A decorator: the view needs a token with all of `scopes`, which may be none.

        A TokenRejected that leaves the view, as from `guard.token.require("orders:write")`, is answered too.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                try:
                    g.mapae_token = self._authenticated(scopes)
                    # An asynchronous view is run here: Flask does not see through the decorator.
                    return current_app.ensure_sync(view)(*args, **kwargs)
                except TokenRejected as rejected:
                    return self._answer(rejected)

            return guarded

        return decorate

    def _authenticated(self, scopes: tuple[str, ...]) -> AccessToken:
        # Of several headers, servers make one with commas between, which is no b64token.
        authorization = request.headers.getlist("Authorization")
        raw = presented_token(authorization, query=request.query_string.decode("latin-1"))
        token = self._verifier.verify(raw)
        token.require(*scopes)
        return token

    def _answer(self, rejected: TokenRejected) -> Response:
        answer = refusal(rejected, realm=self._realm, resource_metadata=self._resource_metadata)
        return Response(answer.body, answer.status, answer.headers, mimetype="application/json")
