"""What every framework does with a request: find the token, check it, and answer when it falls short."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.integrations.refusal import Refusal, refusal
from mapae.verifier import NOTHING, AccessToken, Needs, TokenRejected, Verifier, Verifiers, presented_token


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
