"""Client assertions: a client proves who it is with its key (RFC 7523, `private_key_jwt`)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Self

from mapae.jose import jws, jwt
from mapae.jose.errors import JoseError
from mapae.jose.jwks import JwkSet
from mapae.oauth.client_members import ASSERTION_ALGORITHMS
from mapae.oauth.errors import ErrorCode, OAuthError

#: The longest that an assertion may be good for, in seconds.
MAX_LIFE_S: Final = 3600
#: How far the client's clock may differ from ours.
LEEWAY_S: Final = 30
_MAX_JTI_LENGTH: Final = 256
#: Section 2.2 asks for no `typ`; other kinds of token have one, which keeps them from being used here.
_TYPES: Final = frozenset({None, "jwt", "client-authentication+jwt"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What an assertion has proved, once: `jti` counts as used until `expires_at`, NumericDate seconds."""

    jti: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """An assertion, none of which is to be believed before `check`."""

    client_id: str
    _jws: jws.Jws
    _claims: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The assertion in compact form.

        Raises:
            OAuthError: INVALID_CLIENT when it is no JWT, or its `iss` and `sub` are not one client.

        Implements: RFC 7523 section 3, items 1 and 2.B.
        """
        try:
            parts = jws.split(text, max_length=8192)
            claims = jwt.parse_claims(parts.payload)
        except JoseError as error:
            raise _refused(str(error)) from None
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject or claims.get("iss") != subject:
            raise _refused("iss and sub are not one client")
        return cls(subject, parts, claims)

    @property
    def kid(self) -> str | None:
        """The name of the key it says it was signed with."""
        kid: str | None = self._jws.header.get("kid")
        return kid

    def check(self, keys: JwkSet, *, audiences: Collection[str], algorithm: str | None, now: float) -> Proof:
        """What this assertion proves, if one of the client's `keys` has signed it for us and it is in time.

        Args:
            audiences: the names of this server: its issuer identifier, and the URLs of its endpoints.
            algorithm: the only one the client signs with, or None for any.
            now: NumericDate seconds.
        Raises:
            OAuthError: INVALID_CLIENT.

        Implements: RFC 7523 section 3, items 3 to 9, with `aud` one string and no array, `jti` required, and a life
            of at most an hour; RFC 8725 section 3.11.
        Does not check: that `jti` has not been used before.
        """
        claims, header = self._claims, self._jws.header
        allowed = ASSERTION_ALGORITHMS if algorithm is None else (algorithm,)
        try:
            jws.verify(self._jws, keys.key_for(header, allowed), allowed)
            jwt.check_times(claims, now=now, leeway_s=LEEWAY_S)
        except JoseError as error:
            raise _refused(str(error)) from None
        typ = header.get("typ")
        if (typ and typ.lower().removeprefix("application/")) not in _TYPES:
            raise _refused("typ is that of another kind of token")
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in audiences:
            raise _refused("aud is not this server, or no single string")
        if claims["exp"] > now + MAX_LIFE_S + LEEWAY_S:
            raise _refused(f"exp is more than {MAX_LIFE_S} s ahead")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI_LENGTH:
            raise _refused(f"jti is no string of 1 to {_MAX_JTI_LENGTH} characters")
        return Proof(jti, int(claims["exp"]) + LEEWAY_S + 1)


def _refused(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_CLIENT, detail=f"client assertion: {detail}")
