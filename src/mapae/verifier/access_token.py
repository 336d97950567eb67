"""AccessToken: what a view sees of a token that was accepted."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, final

from mapae.oauth import access_token
from mapae.verifier.errors import RejectionCode, TokenRejected


@final
class AccessToken:
    """A verified access token. Immutable down to the last nested value, so it can be kept and shared.

    Moments are NumericDate seconds. Two are equal when they say the same.
    """

    __slots__ = ("_claims",)

    def __init__(self, claims: dict[str, Any]) -> None:
        """
        Args:
            claims: taken over, not copied: strict JSON that nobody else holds
        Raises:
            JoseError: MALFORMED when these are not the claims of an access token (RFC 9068 section 2.2).
        """
        self._claims: Final = access_token.judge(claims)

    @property
    def subject(self) -> str:
        """The user; the client itself where there is no user."""
        return self._claims["sub"]

    @property
    def scopes(self) -> frozenset[str]:
        """What the token may be used for."""
        return frozenset(access_token.scope(self._claims))

    @property
    def client_id(self) -> str:
        """The client the token was issued to."""
        return self._claims["client_id"]

    @property
    def session_id(self) -> str | None:
        """The session it was issued in."""
        return self._claims.get("sid")

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the user at the issuer."""
        return frozenset(self._claims.get("roles", ()))

    @property
    def issued_at(self) -> float:
        """When it was issued."""
        return self._claims["iat"]

    @property
    def expires_at(self) -> float:
        """When it expires."""
        return self._claims["exp"]

    @property
    def auth_time(self) -> float | None:
        """When the user signed in."""
        return self._claims.get("auth_time")

    @property
    def acr(self) -> str | None:
        """In which way the user signed in, as issuer and API name it."""
        return self._claims.get("acr")

    @property
    def issuer(self) -> str:
        """Who issued it."""
        return self._claims["iss"]

    @property
    def audience(self) -> tuple[str, ...]:
        """The resource servers it is for; ours is among them."""
        return access_token.audience(self._claims)

    @property
    def jti(self) -> str:
        """Its identifier. One token can be spelled in two ways, so revocation goes by this."""
        return self._claims["jti"]

    @property
    def cnf(self) -> Mapping[str, Any] | None:
        """The key it is bound to (RFC 7800)."""
        cnf: Mapping[str, Any] | None = _frozen(self._claims.get("cnf"))
        return cnf

    @property
    def claims(self) -> Mapping[str, Any]:
        """Every claim as it was signed; arrays are tuples and objects read-only mappings."""
        claims: Mapping[str, Any] = _frozen(self._claims)
        return claims

    def require(self, *scopes: str) -> None:
        """Check that the token has all of these scopes.

        Raises:
            TokenRejected: INSUFFICIENT_SCOPE; its challenge names the scopes that are needed.
        """
        if not self.scopes.issuperset(scopes):
            raise TokenRejected(RejectionCode.INSUFFICIENT_SCOPE, "a scope is missing", scopes=scopes)

    def require_any(self, *scopes: str) -> None:
        """Check that the token has one of these scopes.

        Raises:
            TokenRejected: INSUFFICIENT_SCOPE; its challenge names them all.
        """
        if self.scopes.isdisjoint(scopes):
            raise TokenRejected(RejectionCode.INSUFFICIENT_SCOPE, "every scope is missing", scopes=scopes)

    def require_role(self, *roles: str) -> None:
        """Check that the user has one of these roles.

        Raises:
            TokenRejected: INSUFFICIENT_SCOPE, which in RFC 6750 section 3.1 stands for all privileges; its
                challenge names no scope, for none would help.
        """
        if self.roles.isdisjoint(roles):
            raise TokenRejected(RejectionCode.INSUFFICIENT_SCOPE, "every role is missing")

    def __eq__(self, other: object) -> bool:
        return self._claims == other._claims if isinstance(other, AccessToken) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.issuer, self.jti))

    def __repr__(self) -> str:
        return f"<AccessToken {self.jti} of {self.subject} from {self.issuer}>"


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(member) for name, member in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value
