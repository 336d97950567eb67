"""Claims about the user: which a scope asks for, and what is known (OpenID Connect Core sections 5.1 and 5.4)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from mapae.oauth.claims_request import ClaimsRequest
from mapae.server.domain.users import User

#: The one authentication context class there is: signed in with a password.
ACR: Final = "1"
#: How users sign in (RFC 8176).
AMR: Final = ("pwd",)

_OF_SCOPE: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": (
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
        "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}  # fmt: skip

#: Every claim that can be told of a user beside `sub`.
USER_CLAIMS: Final = tuple(name for names in _OF_SCOPE.values() for name in names)


def claims_of_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """The names of the claims that these scopes ask for."""
    return tuple(name for scope in scopes for name in _OF_SCOPE.get(scope, ()))


def scopes_of_claims(asked: ClaimsRequest) -> tuple[str, ...]:
    """The scopes that the claims asked for one by one belong to: in these words a user can be asked for them."""
    names = {*asked.id_token, *asked.userinfo}
    return tuple(scope for scope, claims in _OF_SCOPE.items() if names.intersection(claims))


def known_claims(user: User, names: Collection[str]) -> dict[str, Any]:
    """What is known of `user` under these names; what is not known is left out (section 5.3.2)."""
    known: dict[str, Any] = {
        **user.claims,
        "preferred_username": user.username,
        "updated_at": user.updated_at or user.created_at,
    }
    if user.email is not None:
        known |= {"email": user.email, "email_verified": user.email_verified}
    return {name: known[name] for name in USER_CLAIMS if name in names and name in known}
