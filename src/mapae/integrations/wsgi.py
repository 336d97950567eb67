"""Bearer tokens for any WSGI application."""

import sys
from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mapae.integrations.gate import Gate
from mapae.verifier import NOTHING, AccessToken, Needs, TokenRejected, Verifier, Verifiers


class BearerMiddleware:
    """Lets through only requests with a valid access token.

    The application finds it as `environ["mapae.token"]`. A TokenRejected that the call of the application raises, as
    from `token.require("orders:write")`, is answered too.
    """

    def __init__(  # noqa: PLR0913  # one argument a rule
        self,
        app: WSGIApplication,
        verifier: Verifier | Verifiers,
        *,
        scopes: Collection[str] = (),
        needs: Needs = NOTHING,
        optional: bool = False,
        realm: str = "api",
        resource_metadata: str | None = None,
    ) -> None:
        """
        Args:
            scopes: what every request needs
            needs: what else
            optional: lets requests without a token through; the application finds None in its place
            realm: names what is protected, in the challenge
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728)
        """
        self._app: Final = app
        self._gate: Final = Gate(
            verifier,
            needs=needs.with_scopes(scopes),
            optional=optional,
            realm=realm,
            resource_metadata=resource_metadata,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["mapae.token"] = self._token(environ)
            return self._app(environ, start_response)
        except TokenRejected as rejected:
            answer = self._gate.refusal(rejected)
            body = answer.body
            headers = {
                **answer.headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }
            status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
            # PEP 3333: with the exception it takes the place of what the application may have begun to answer.
            start_response(status, list(headers.items()), sys.exc_info())
            return [body]

    def _token(self, environ: WSGIEnvironment) -> AccessToken | None:
        # Of several headers, servers make one with commas between, which is no b64token.
        authorization = environ.get("HTTP_AUTHORIZATION")
        presented = [] if authorization is None else [authorization]
        return self._gate.check(presented, environ.get("QUERY_STRING", ""))
