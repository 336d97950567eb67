"""The JWT access token: what it says and in which words (RFC 9068)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NotRequired, Self, TypedDict, cast

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


class Judged(TypedDict):
    """A claim set that `judge` has found to be that of an access token."""

    iss: str
    sub: str
    aud: str | Sequence[str]
    exp: float
    iat: float
    jti: str
    client_id: str
    scope: NotRequired[str]
    sid: NotRequired[str]
    auth_time: NotRequired[float]
    roles: NotRequired[Sequence[str]]
    amr: NotRequired[Sequence[str]]
    acr: NotRequired[str]
    cnf: NotRequired[Mapping[str, Any]]


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
            JoseError: as `judge`.
        """
        judged = judge(claims)
        known: dict[str, Any] = {name: claims[name] for name in _FORMS if name in claims}
        lists = {name: tuple(known.get(name, ())) for name in ("roles", "amr")}
        return cls(**{**known, **lists, "aud": audience(judged), "scope": scope(judged)})

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


def judge(claims: Mapping[str, Any]) -> Judged:
    """The same `claims`, once they are found to be those of an access token; others are not looked at.

    Raises:
        JoseError: MALFORMED when a required claim is missing or empty, or any is of the wrong type.

    Implements: RFC 9068 section 2.2.
    Does not check: who issued it, for whom, and whether it is in time.
    """
    for name in _arrays(tuple(claims), tuple(map(type, claims.values()))):
        if not _TEXT.issuperset(map(type, claims[name])):
            raise malformed(f"{name} is no array of strings")
    if not all(map(claims.get, _REQUIRED)):
        for name in _REQUIRED:
            if not claims.get(name) and claims.get(name) != 0:
                raise malformed(f"{name} is missing or empty")
    _scope(claims.get("scope", ""))
    return cast("Judged", claims)


@lru_cache(maxsize=256)  # issuers say the same few things all day
def _arrays(names: tuple[str, ...], kinds: tuple[type, ...]) -> tuple[str, ...]:
    """Those of these claims that are arrays of something; each of the others has a type that it may have."""
    arrays = []
    for name, kind in zip(names, kinds, strict=True):
        if kind not in _FORMS.get(name, (kind,)):  # claims of other names may be what they like
            raise malformed(f"{name} is of the wrong type")
        if kind in _ARRAY and name in _FORMS:
            arrays.append(name)
    return tuple(arrays)


def audience(claims: Judged) -> tuple[str, ...]:
    """Whom the token is for."""
    named = claims["aud"]
    return (named,) if isinstance(named, str) else tuple(named)


def scope(claims: Judged) -> Scope:
    """What the token grants.

    Raises:
        JoseError: MALFORMED when `scope` is no scope (RFC 6749 section 3.3).
    """
    return _scope(claims.get("scope", ""))


@lru_cache(maxsize=256)  # issuers grant the same few scopes all day
def _scope(text: str) -> Scope:
    if not text:
        return NO_SCOPE
    try:
        return Scope.parse(text)
    except OAuthError as error:
        raise malformed(error.detail) from None
