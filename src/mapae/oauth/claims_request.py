"""The parameter `claims`: single claims asked for, beside those of the scopes (OpenID Connect Core section 5.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mapae.jose import strict_json
from mapae.jose.errors import JoseError
from mapae.oauth.errors import ErrorCode, OAuthError

#: `claims`, a member of it, a claim, its `values`.
_MAX_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The names asked for in the ID token and at the userinfo endpoint, and what has to be so for the request.

    `subject` is whom the answer may be about, None for anyone; `acr` are the authentication context class references
    one of which is essential, none when any will do. That a claim is essential, or should have some value, changes
    nothing else: what is known and consented to is told (section 5.5.1).
    """

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    subject: str | None = None
    acr: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The request that `text` is.

        Raises:
            OAuthError: INVALID_REQUEST when it is no JSON object of the form of section 5.5.
        """
        try:
            members = strict_json.parse_object(text, max_depth=_MAX_DEPTH)
        except JoseError as error:
            raise _malformed(error.detail) from None
        id_token, userinfo = _asked(members, "id_token"), _asked(members, "userinfo")
        return cls(
            id_token=tuple(id_token),
            userinfo=tuple(userinfo),
            subject=_subject(id_token.get("sub")) or _subject(userinfo.get("sub")),
            acr=_essential_acr(id_token.get("acr")),
        )


#: When the parameter is not sent.
NO_CLAIMS: Final = ClaimsRequest()


def _asked(members: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    asked = members.get(name) or {}
    if not isinstance(asked, dict):
        raise _malformed(f"claims.{name} is no object")
    for claim in asked.values():
        if claim is not None and not isinstance(claim, dict):
            raise _malformed(f"a claim of claims.{name} is neither null nor an object")
    return {claim: wanted or {} for claim, wanted in asked.items()}


def _subject(wanted: Mapping[str, Any] | None) -> str | None:
    value = (wanted or {}).get("value")
    if value is not None and not isinstance(value, str):
        raise _malformed("the value of sub is no string")
    return value


def _essential_acr(wanted: Mapping[str, Any] | None) -> tuple[str, ...]:
    if not wanted or wanted.get("essential") is not True:
        return ()
    values = wanted.get("values", [wanted["value"]] if "value" in wanted else [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _malformed("the values of acr are no array of strings")
    return tuple(values)


def _malformed(detail: str) -> OAuthError:
    return OAuthError(
        ErrorCode.INVALID_REQUEST, detail=detail, description="The parameter claims is malformed."
    )
