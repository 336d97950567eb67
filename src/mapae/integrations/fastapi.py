"""Bearer tokens as a FastAPI dependency.

bearer = Bearer(verifier)

@app.get("/orders")
async def orders(token: Annotated[AccessToken, Security(bearer, scopes=["orders:read"])]): ...
"""

from dataclasses import replace

from fastapi import HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from mapae.integrations.gate import Gate
from mapae.integrations.refusal import Refusal
from mapae.verifier import NOTHING, AccessToken, Needs, TokenRejected, Verifier, Verifiers


class Refused(HTTPException):
    """A token that was rejected; the application may handle it like any `HTTPException`.

    Unless it does, the answer has status and challenge, and `error` and `error_description` as its `detail`.

    Attributes:
        rejected: why; its `detail` is for the log.
    """

    def __init__(self, rejected: TokenRejected, answer: Refusal) -> None:
        super().__init__(answer.status, detail=answer.members, headers=answer.headers)
        self.rejected = rejected


class Bearer(SecurityBase):
    """The access token of a request or WebSocket, checked for the scopes that `Security` names.

    It shows in the OpenAPI document as an HTTP bearer scheme, with the scopes of each operation. An application may
    have several: `Bearer(verifier, needs=Needs(roles=["admin"], fresh_s=300))` for what is dangerous.
    """

    def __init__(  # noqa: PLR0913  # one argument a rule
        self,
        verifier: Verifier | Verifiers,
        *,
        needs: Needs = NOTHING,
        optional: bool = False,
        realm: str = "api",
        resource_metadata: str | None = None,
        scheme_name: str = "Bearer",
        description: str | None = None,
    ) -> None:
        """
        Args:
            needs: what a token has to be good for, beside the scopes that `Security` names
            optional: a request without a token gets None in its place
            realm: names what is protected, in the challenge
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728)
            scheme_name, description: for the OpenAPI document
        """
        self.model = HTTPBearer(bearerFormat="JWT", description=description)
        self.scheme_name = scheme_name
        self._gate = Gate(
            verifier, needs=needs, optional=optional, realm=realm, resource_metadata=resource_metadata
        )

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> AccessToken | None:
        """The token; None only when it is optional.

        Raises:
            Refused: it is missing, not valid or not enough.
        """
        gate = replace(self._gate, needs=self._gate.needs.with_scopes(needed.scopes))
        query = connection.scope.get("query_string", b"").decode("latin-1")
        try:
            return await gate.acheck(connection.headers.getlist("authorization"), query)
        except TokenRejected as rejected:
            raise Refused(rejected, gate.refusal(rejected)) from rejected

    async def on_rejected(self, request: Request, rejected: Exception) -> Response:
        """The answer to a TokenRejected that leaves a view, as from `token.require("orders:write")`.

        app.add_exception_handler(TokenRejected, bearer.on_rejected)
        """
        if not isinstance(rejected, TokenRejected):
            raise rejected
        return await http_exception_handler(request, Refused(rejected, self._gate.refusal(rejected)))
