"""Bearer tokens for Flask views.

guard = Guard(verifier)

@app.get("/orders")
@guard.require("orders:read")
def orders():
    return orders_of(guard.token.subject)
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Final

from flask import Response, current_app, g, request

from mapae.integrations.gate import Gate
from mapae.verifier import (
    NOTHING,
    AccessToken,
    Needs,
    RejectionCode,
    TokenRejected,
    Verifier,
    Verifiers,
)

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
        self._gate: Final = Gate(verifier, realm=realm, resource_metadata=resource_metadata)

    @property
    def token(self) -> AccessToken:
        """The access token of the request; only in views under `require` and `optional`.

        Raises:
            TokenRejected: MISSING, in a view under `optional`; it is answered when it leaves the view.
        """
        token = self.presented
        if token is None:
            raise TokenRejected(RejectionCode.MISSING, "the view needs a token after all")
        return token

    @property
    def presented(self) -> AccessToken | None:
        """The same, and None where `optional` has let a request through without one."""
        token: AccessToken | None = g.mapae_token
        return token

    def require(self, *scopes: str, needs: Needs = NOTHING) -> Callable[[View], View]:
        """A decorator: the view needs a token with all of `scopes`, which may be none, that is good for `needs`.

        A TokenRejected that leaves the view, as from `guard.token.require("orders:write")`, is answered too.
        """
        return partial(self._guarded, replace(self._gate, needs=needs.with_scopes(scopes)))

    def optional(self, view: View) -> View:
        """A decorator: the view does without a token; a bad one is answered all the same."""
        return self._guarded(replace(self._gate, optional=True), view)

    def _guarded(self, gate: Gate, view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                authorization = request.headers.getlist("Authorization")
                g.mapae_token = gate.check(authorization, request.query_string.decode("latin-1"))
                # An asynchronous view is run here: Flask does not see through the decorator.
                return current_app.ensure_sync(view)(*args, **kwargs)
            except TokenRejected as rejected:
                answer = gate.refusal(rejected)
                return Response(answer.body, answer.status, answer.headers, mimetype="application/json")

        return guarded
