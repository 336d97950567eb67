"""Verifiers: one API, tokens of several issuers, each under its own rules."""

from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Final

from mapae.jose import jws, jwt
from mapae.jose.errors import JoseError
from mapae.misuse import Misuse
from mapae.verifier.access_token import AccessToken
from mapae.verifier.errors import RejectionCode, TokenRejected, rejected
from mapae.verifier.needs import NOTHING, Needs
from mapae.verifier.verifier import RECHECK_S, Verifier


class Verifiers:
    """Hands each token to the verifier of the issuer it names; used in the place of a `Verifier`.

    The issuers are a fixed list: what a token says never adds to whom is asked or believed (RFC 8725 section 3.8).
    """

    def __init__(self, *verifiers: Verifier) -> None:
        """
        Raises:
            Misuse: none, or two of the same issuer.
        """
        self._by_issuer: Final = {verifier.issuer: verifier for verifier in verifiers}
        if not verifiers or len(self._by_issuer) != len(verifiers):
            raise Misuse("one verifier or more, and one an issuer")

    def verify(self, raw: object, needs: Needs = NOTHING) -> AccessToken:
        """As `Verifier.verify`; WRONG_ISSUER when the token is of none of the issuers."""
        return self._chosen(raw).verify(raw, needs)

    async def averify(self, raw: object, needs: Needs = NOTHING) -> AccessToken:
        """As `verify`, for asyncio."""
        return await self._chosen(raw).averify(raw, needs)

    def recheck(self, token: AccessToken, needs: Needs = NOTHING) -> float:
        """As `Verifier.recheck`."""
        return self._of(token.issuer).recheck(token, needs)

    async def ended(self, token: AccessToken, *, every_s: float = RECHECK_S) -> TokenRejected:
        """As `Verifier.ended`."""
        return await self._of(token.issuer).ended(token, every_s=every_s)

    def lasting(self, token: AccessToken, *, every_s: float = RECHECK_S) -> AbstractAsyncContextManager[None]:
        """As `Verifier.lasting`."""
        return self._of(token.issuer).lasting(token, every_s=every_s)

    def _chosen(self, raw: object) -> Verifier:
        if not isinstance(raw, str) or not raw:
            return next(iter(self._by_issuer.values()))  # any of them knows what to say
        try:
            return self._of(_named_issuer(raw))
        except JoseError as error:
            raise rejected(error) from None

    def _of(self, issuer: object) -> Verifier:
        verifier = self._by_issuer.get(issuer) if isinstance(issuer, str) else None
        if verifier is None:
            raise TokenRejected(RejectionCode.WRONG_ISSUER, "iss is none of the issuers")
        return verifier


@lru_cache(maxsize=1024)  # the same token comes with hundreds of requests
def _named_issuer(raw: str) -> object:
    """`iss`, not verified yet: it only chooses whose rules the token has to pass, `iss` among them."""
    return jwt.parse_claims(jws.split(raw).payload).get("iss")
