"""The JWT access token: what it says and in which words (RFC 9068)."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from mapae.jose.errors import malformed
from mapae.oauth.errors import OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope

#: The value of `typ` in the header. RFC 9068 section 4 has "application/at+jwt" accepted as well.
TYPE: Final = "at+jwt"

_TEXT: Final = frozenset({str})
_MOMENT: Final = frozenset({int, float})  # not bool, which in Python is an int
_ARRAY: Final = frozenset({list, tuple})
_OBJECT: Final = frozenset({dict, MappingProxyType})
_FORMS: Final[Mapping[str, frozenset[type]]] = {
    "iss": _TEXT,
    "sub": _TEXT,
    "aud": _TEXT | _ARRAY,
    "exp": _MOMENT,
    "iat": _MOMENT,
    "jti": _TEXT,
    "client_id": _TEXT,
    "scope": _TEXT,
    "sid": _TEXT,
    "auth_time": _MOMENT,
    "roles": _ARRAY,
    "amr": _ARRAY,
    "acr": _TEXT,
    "cnf": _OBJECT,
}
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")


class AccessTokenClaims(NamedTuple):
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
            JoseError: MALFORMED when a required claim is missing or empty, or any is of the wrong type.

        Implements: RFC 9068 section 2.2.
        Does not check: who issued it, for whom, and whether it is in time.
        """
        for name, value in claims.items():
            if name in _FORMS and type(value) not in _FORMS[name]:
                raise malformed(f"{name} is of the wrong type")
        for name in _REQUIRED:
            value = claims.get(name)
            if not value and value != 0:
                raise malformed(f"{name} is missing or empty")
        find = claims.get
        audience = claims["aud"]
        return cls(
            claims["iss"],
            claims["sub"],
            (audience,) if type(audience) is str else _texts("aud", audience),
            claims["exp"],
            claims["iat"],
            claims["jti"],
            claims["client_id"],
            _scope(find("scope", "")),
            find("sid"),
            find("auth_time"),
            _texts("roles", find("roles", ())),
            _texts("amr", find("amr", ())),
            find("acr"),
            find("cnf"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The claim set to be signed. What says nothing is left out: every byte travels in every request."""
        members = {
            **self._asdict(),
            "aud": self.aud[0] if len(self.aud) == 1 else list(self.aud),
            "scope": str(self.scope),
            "roles": list(self.roles),
            "amr": list(self.amr),
        }
        return {name: value for name, value in members.items() if value not in (None, "", [])}


def _texts(name: str, values: tuple[Any, ...]) -> tuple[str, ...]:
    for value in values:
        if type(value) is not str:
            raise malformed(f"{name} is no array of strings")
    return tuple(values)


@lru_cache(maxsize=256)  # issuers grant the same few scopes all day
def _scope(text: str) -> Scope:
    if not text:
        return NO_SCOPE
    try:
        return Scope.parse(text)
    except OAuthError as error:
        raise malformed(error.detail) from None
