"""Bearer tokens as a FastAPI dependency.

bearer = Bearer(verifier)

@app.get("/orders")
async def orders(token: Annotated[AccessToken, Security(bearer, scopes=["orders:read"])]): ...
"""

from fastapi import HTTPException
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from mapae.integrations.refusal import refusal
from mapae.verifier import AccessToken, TokenRejected, Verifier, Verifiers, presented_token


class Refused(HTTPException):
    """A token that was rejected; the application may handle it like any `HTTPException`.

    Unless it does, the answer has status and challenge, and `error` and `error_description` as its `detail`.

    Attributes:
        rejected: why; its `detail` is for the log.
    """

    def __init__(self, rejected: TokenRejected, *, realm: str, resource_metadata: str | None) -> None:
        answer = refusal(rejected, realm=realm, resource_metadata=resource_metadata)
        super().__init__(answer.status, detail=answer.members, headers=answer.headers)
        self.rejected = rejected


class Bearer(SecurityBase):
    """The access token of a request or WebSocket, checked for the scopes that `Security` names.

    It shows in the OpenAPI document as an HTTP bearer scheme, with the scopes of each operation.
    """

    def __init__(
        self,
        verifier: Verifier | Verifiers,
        *,
        realm: str = "api",
        resource_metadata: str | None = None,
        scheme_name: str = "Bearer",
        description: str | None = None,
    ) -> None:
        """
        Args:
            realm: names what is protected, in the challenge
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728)
            scheme_name, description: for the OpenAPI document
        """
        self.model = HTTPBearer(bearerFormat="JWT", description=description)
        self.scheme_name = scheme_name
        self._verifier = verifier
        self._realm = realm
        self._resource_metadata = resource_metadata

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> AccessToken:
        """The token.

        Raises:
            Refused: it is missing, not valid or not enough.
        """
        try:
            query = connection.scope.get("query_string", b"").decode("latin-1")
            raw = presented_token(connection.headers.getlist("authorization"), query=query)
            token = await self._verifier.averify(raw)
            token.require(*needed.scopes)
        except TokenRejected as rejected:
            raise Refused(
                rejected, realm=self._realm, resource_metadata=self._resource_metadata
            ) from rejected
        return token
