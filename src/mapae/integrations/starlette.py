"""Bearer tokens for Starlette's own authentication: `request.user`, `request.auth` and `@requires`.

    backend = BearerBackend(verifier)
    Middleware(AuthenticationMiddleware, backend=backend, on_error=backend.on_error)

A request without a token goes on as one of nobody, and the view or `@requires` decides.
"""

from typing import Final

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from mapae.integrations.refusal import refusal
from mapae.verifier import (
    AccessToken,
    RejectionCode,
    TokenRejected,
    Verifier,
    Verifiers,
    presented_token,
)


class TokenUser(BaseUser):
    """Who the token says is calling. `identity` and `display_name` are its subject.

    Attributes:
        token: all it says.
    """

    def __init__(self, token: AccessToken) -> None:
        self.token: Final = token

    @property
    def is_authenticated(self) -> bool:
        """True."""
        return True

    @property
    def display_name(self) -> str:
        """The subject: an access token holds no name."""
        return self.token.subject

    @property
    def identity(self) -> str:
        """The subject."""
        return self.token.subject


class Refused(AuthenticationError):
    """A token that was presented and rejected.

    Attributes:
        rejected: why; its `detail` is for the log.
    """

    def __init__(self, rejected: TokenRejected) -> None:
        super().__init__(rejected.description)
        self.rejected: Final = rejected


class BearerBackend(AuthenticationBackend):
    """Turns the access token of a request into a `TokenUser` and its scopes into `AuthCredentials`."""

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

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """The user and scopes, None for a request without a token.

        Raises:
            Refused: the token is not valid; `on_error` answers it.
        """
        try:
            query = conn.scope.get("query_string", b"").decode("latin-1")
            raw = presented_token(conn.headers.getlist("authorization"), query=query)
            token = await self._verifier.averify(raw)
        except TokenRejected as rejected:
            if rejected.code is RejectionCode.MISSING:
                return None
            raise Refused(rejected) from rejected
        return AuthCredentials(sorted(token.scopes)), TokenUser(token)

    def on_error(self, conn: HTTPConnection, error: AuthenticationError) -> Response:
        """The answer to a token that was rejected; Starlette's own would be a 400 without a challenge."""
        if not isinstance(error, Refused):
            raise error
        answer = refusal(error.rejected, realm=self._realm, resource_metadata=self._resource_metadata)
        return JSONResponse(answer.members, answer.status, answer.headers)
