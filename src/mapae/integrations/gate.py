"""What every framework does with a request: find the token, check it, and answer when it falls short."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from mapae.integrations.refusal import Refusal, refusal
from mapae.verifier import NOTHING, AccessToken, Needs, TokenRejected, Verifier, Verifiers, presented_token

Application = TypeVar("Application")


@dataclass(frozen=True, slots=True)
class Gate:
    """Who is let through.

    Attributes:
        needs: what a token has to be good for.
        optional: lets requests through that bring no token; those that bring a bad one are answered all the same.
        realm: names what is protected, in the challenge.
        resource_metadata: where the metadata of this resource is, a URL (RFC 9728).
    """

    verifier: Verifier | Verifiers
    needs: Needs = NOTHING
    optional: bool = False
    realm: str = "api"
    resource_metadata: str | None = None

    def check(self, authorization: Sequence[str], query: str) -> AccessToken | None:
        """The token of a request; None only when it is optional.

        Args:
            authorization: the value of each `Authorization` header
            query: the query string, percent-encoded
        Raises:
            TokenRejected: it is missing, not valid or not enough.
        """
        raw = presented_token(authorization, query=query)
        if raw is None and self.optional:
            return None
        return self.verifier.verify(raw, self.needs)

    async def acheck(self, authorization: Sequence[str], query: str) -> AccessToken | None:
        """As `check`, for asyncio."""
        raw = presented_token(authorization, query=query)
        if raw is None and self.optional:
            return None
        return await self.verifier.averify(raw, self.needs)

    def refusal(self, rejected: TokenRejected) -> Refusal:
        """The answer."""
        return refusal(rejected, realm=self.realm, resource_metadata=self.resource_metadata)


class Gated(Generic[Application]):
    """An application with a gate in front: what middleware is made of."""

    def __init__(  # noqa: PLR0913  # one argument a rule
        self,
        app: Application,
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
