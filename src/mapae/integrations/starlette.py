"""Bearer tokens for Starlette's own authentication: `request.user`, `request.auth` and `@requires`.

    backend = BearerBackend(verifier)
    Middleware(AuthenticationMiddleware, backend=backend, on_error=backend.on_error)

A request without a token goes on as one of nobody, and the view or `@requires` decides.
"""

from typing import Final

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

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
        self._gate: Final = Gate(verifier, optional=True, realm=realm, resource_metadata=resource_metadata)

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """The user and scopes, None for a request without a token.

        Raises:
            Refused: the token is not valid; `on_error` answers it.
        """
        query = conn.scope.get("query_string", b"").decode("latin-1")
        try:
            token = await self._gate.acheck(conn.headers.getlist("authorization"), query)
        except TokenRejected as rejected:
            raise Refused(rejected) from rejected
        return None if token is None else (AuthCredentials(sorted(token.scopes)), TokenUser(token))

    def token(self, conn: HTTPConnection, needs: Needs = NOTHING) -> AccessToken:
        """The access token of a request, for a view that needs one; `on_rejected` answers if it has to.

        Raises:
            TokenRejected: it is missing or not good for `needs`.
        """
        if not isinstance(conn.user, TokenUser):
            raise TokenRejected(RejectionCode.MISSING, "the view needs a token")
        self._gate.verifier.recheck(conn.user.token, needs)
        return conn.user.token

    def on_error(self, conn: HTTPConnection, error: AuthenticationError) -> Response:
        """The answer to a token that was rejected; Starlette's own would be a 400 without a challenge."""
        if not isinstance(error, Refused):
            raise error
        return self._answer(error.rejected)

    def on_rejected(self, request: Request, rejected: Exception) -> Response:
        """The answer to a TokenRejected that leaves a view.

        Starlette(exception_handlers={TokenRejected: backend.on_rejected}, ...)
        """
        if not isinstance(rejected, TokenRejected):
            raise rejected
        return self._answer(rejected)

    def _answer(self, rejected: TokenRejected) -> Response:
        answer = self._gate.refusal(rejected)
        return JSONResponse(answer.members, answer.status, answer.headers)
