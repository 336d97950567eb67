"""Needs: what a call asks of its token beyond being valid."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Self

from mapae.misuse import Misuse
from mapae.verifier.access_token import AccessToken
from mapae.verifier.errors import RejectionCode, TokenRejected


@dataclass(frozen=True, slots=True)
class Needs:
    """What a call asks of its token. Everything named has to be met; what is left out is not asked.

    Attributes:
        scopes: all of these.
        any_scope: one of these, or more.
        roles: the user has one of these, or more.
        fresh_s: the user signed in at most so many seconds ago; a token without `auth_time` is not fresh.
        acr: the user signed in in one of these ways, the best first (OpenID Connect Core section 2).
    """

    scopes: Collection[str] = ()
    any_scope: Collection[str] = ()
    roles: Collection[str] = ()
    fresh_s: int | None = None
    acr: Collection[str] = ()

    def __post_init__(self) -> None:
        """
        Raises:
            Misuse: a text in place of a collection of texts, or a time that is not positive.
        """
        lists = (self.scopes, self.any_scope, self.roles, self.acr)
        if any(isinstance(names, str) for names in lists):
            raise Misuse("scopes, any_scope, roles and acr are collections of str")
        if self.fresh_s is not None and self.fresh_s <= 0:
            raise Misuse("fresh_s must be positive")

    def with_scopes(self, scopes: Collection[str]) -> Self:
        """The same, and all of `scopes`."""
        return replace(self, scopes=(*self.scopes, *scopes)) if scopes else self

    def check(self, token: AccessToken, *, now: float) -> None:
        """Check that `token` is enough.

        Args:
            now: NumericDate seconds
        Raises:
            TokenRejected: INSUFFICIENT_SCOPE; INSUFFICIENT_USER_AUTHENTICATION, whose challenge
                tells the client how to have the user sign in. Nobody is sent to sign in again
                only to hear that it was no use.

        Implements: RFC 6750 section 3.1, RFC 9470 section 3.
        """
        if self.scopes:
            token.require(*self.scopes)
        if self.any_scope:
            token.require_any(*self.any_scope)
        if self.roles:
            token.require_role(*self.roles)
        stale = self.fresh_s is not None and (token.auth_time is None or now > token.auth_time + self.fresh_s)
        weak = bool(self.acr) and token.acr not in self.acr
        if stale or weak:
            raise TokenRejected(
                RejectionCode.INSUFFICIENT_USER_AUTHENTICATION,
                "signed in too long ago" if stale else "signed in in another way",
                max_age_s=self.fresh_s,
                acr_values=self.acr,
            )


#: A valid token is enough.
NOTHING: Final = Needs()
