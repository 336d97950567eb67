"""Bearer tokens for any WSGI application."""

import sys
from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mapae.integrations.gate import Gated
from mapae.verifier import AccessToken, TokenRejected


class BearerMiddleware(Gated[WSGIApplication]):
    """Lets through only requests with a valid access token.

    The application finds it as `environ["mapae.token"]`. A TokenRejected that the call of the application raises, as
    from `token.require("orders:write")`, is answered too.
    """

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
