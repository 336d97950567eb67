"""The JWT access token: what it says and in which words (RFC 9068)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mapae.jose.errors import malformed
from mapae.jose.jwt import numeric_date
from mapae.oauth.errors import OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope

#: The value of `typ` in the header. RFC 9068 section 4 has "application/at+jwt" accepted as well.
TYPE: Final = "at+jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenClaims:
    """The claims of an access token, under their names on the wire; moments are NumericDate seconds.

    Nothing personal belongs here: whoever holds the token can read it.

    Attributes:
        sub: the user, or the client itself when there is no user.
        sid: the session the token was issued in (OpenID Connect Front-Channel Logout section 3).
        auth_time, amr, acr: when and how the user signed in (RFC 9068 section 2.2.1).
        roles: RFC 9068 section 2.2.3.1.
        cnf: the key whose holder alone may use the token (RFC 7800).
    """

    iss: str
    sub: str
    aud: tuple[str, ...]
    exp: float
    iat: float
    jti: str
    client_id: str
    scope: Scope = NO_SCOPE
    sid: str | None = None
    auth_time: float | None = None
    roles: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    acr: str | None = None
    cnf: Mapping[str, Any] | None = None

    @classmethod
    def parse(cls, claims: Mapping[str, Any]) -> Self:
        """The access token that a claim set describes; claims of other names are not looked at.

        Raises:
            JoseError: MALFORMED when a required claim is missing or any is of the wrong type.

        Implements: RFC 9068 section 2.2.
        Does not check: who issued it, for whom, and whether it is in time.
        """
        return cls(
            iss=_required(claims, "iss"),
            sub=_required(claims, "sub"),
            aud=_audience(claims),
            exp=_required_moment(claims, "exp"),
            iat=_required_moment(claims, "iat"),
            jti=_required(claims, "jti"),
            client_id=_required(claims, "client_id"),
            scope=_scope(claims),
            sid=_text(claims, "sid"),
            auth_time=numeric_date(claims, "auth_time"),
            roles=_texts(claims, "roles"),
            amr=_texts(claims, "amr"),
            acr=_text(claims, "acr"),
            cnf=_confirmation(claims),
        )

    def to_dict(self) -> dict[str, Any]:
        """The claim set to be signed. What says nothing is left out: every byte travels in every request."""
        members = {
            "iss": self.iss,
            "sub": self.sub,
            "aud": self.aud[0] if len(self.aud) == 1 else list(self.aud),
            "exp": self.exp,
            "iat": self.iat,
            "jti": self.jti,
            "client_id": self.client_id,
            "scope": str(self.scope),
            "sid": self.sid,
            "auth_time": self.auth_time,
            "roles": list(self.roles),
            "amr": list(self.amr),
            "acr": self.acr,
            "cnf": self.cnf,
        }
        return {name: value for name, value in members.items() if value not in (None, "", [])}


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if not isinstance(value, str) and name in claims:
        raise malformed(f"{name} is no string")
    return value


def _required(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"{name} is missing, empty or no string")
    return value


def _required_moment(claims: Mapping[str, Any], name: str) -> float:
    value = numeric_date(claims, name)
    if value is None:
        raise malformed(f"{name} is missing")
    return value


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise malformed(f"{name} is no array of strings")
    return tuple(value)


def _audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    value = claims.get("aud")
    audience = (value,) if isinstance(value, str) else _texts(claims, "aud")
    if not audience:
        raise malformed("aud is missing or empty")
    return audience


def _scope(claims: Mapping[str, Any]) -> Scope:
    text = _text(claims, "scope")
    if not text:
        return NO_SCOPE
    try:
        return Scope.parse(text)
    except OAuthError as error:
        raise malformed(error.detail) from None


def _confirmation(claims: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value = claims.get("cnf")
    if not isinstance(value, Mapping) and "cnf" in claims:
        raise malformed("cnf is no object")
    return value
