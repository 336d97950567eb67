"""Authenticate a caller of our own APIs by access token: the server is the first customer of its verifier."""

from collections.abc import Callable, Sequence

from mapae.jose.jwks import JwkSet
from mapae.server.store.engine import Database
from mapae.verifier import AccessToken, RejectionCode, TokenRejected, Verifier, presented_token


class AuthenticateToken:
    """Accepts what this issuer signed for any of its resource servers.

    In the steady state without the database; it is asked when an audience turns up that is not known yet.
    """

    def __init__(self, *, issuer: str, keys: Callable[[], JwkSet], database: Database) -> None:
        self._issuer = issuer
        self._keys = keys
        self._database = database
        self._audiences = {issuer}
        self._verifier = self._made()

    async def __call__(self, authorization: Sequence[str]) -> AccessToken:
        """The token in the `Authorization` headers of a request.

        Raises:
            TokenRejected: with the reason.
            StoreUnavailable: for a token of an audience not seen before.
        """
        return await self.verify(presented_token(authorization))

    async def verify(self, raw: str | None) -> AccessToken:
        """The token that `raw` is; None stands for a request without one.

        Raises:
            TokenRejected: with the reason.
            StoreUnavailable: for a token of an audience not seen before.
        """
        try:
            return self._verifier.verify(raw)
        except TokenRejected as rejected:
            if rejected.code is not RejectionCode.WRONG_AUDIENCE:
                raise
        # Reached only with a signature of ours that has not expired, so strangers cannot make us ask.
        async with self._database.reading() as unit:
            servers = await unit.resource_servers.all()
        self._audiences = {self._issuer, *(server.audience for server in servers)}
        self._verifier = self._made()
        return self._verifier.verify(raw)

    def _made(self) -> Verifier:
        return Verifier(issuer=self._issuer, audience=self._audiences, keys=self._keys)
