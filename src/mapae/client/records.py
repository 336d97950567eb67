"""What is remembered of one sign-in, and its form on disk."""

import json
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from mapae.secret import Secret

#: Of sign-ins through the server's own session API, and of those through an OAuth token endpoint.
FORMAT: Final = 1
OAUTH_FORMAT: Final = 2

AuthMethod = Literal["none", "client_secret_basic", "client_secret_post"]
GrantType = Literal["refresh_token", "client_credentials"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one turn. Moments are NumericDate seconds by the *server's* clock.

    Attributes:
        life_s: seconds the access token was valid when it was handed out.
        skew_s: the server's clock minus ours when the answer came; add it to our time to get the server's.
        refresh_token: None when the server gave none: the sign-in ends with the access token.
        refresh_expires_at: the absolute end of the session, None when the server does not tell.
        session_id: empty when the server does not tell.
    """

    access_token: Secret
    expires_at: float
    life_s: float
    skew_s: float
    refresh_token: Secret | None
    refresh_expires_at: float | None
    session_id: str
    scope: str


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A client as it is registered with an OAuth server, and what its tokens are to be for.

    Attributes:
        client_secret: None for a public client.
        scope: what the tokens should allow, separated by spaces (RFC 6749 section 3.3); empty: as the server decides.
        resource: the API they are for (RFC 8707), None: as the server decides.
    """

    client_id: str
    client_secret: Secret | None = None
    scope: str = ""
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class OAuthGrant:
    """How the tokens of a sign-in are renewed at an OAuth server, and revoked (RFC 7009)."""

    client: OAuthClient
    grant_type: GrantType
    token_endpoint: str
    auth_method: AuthMethod
    revocation_endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person signed in to one server on this device, or, once ended, the tombstone that says why.

    Attributes:
        instance: names this installation to the server (`Mapae-Instance`); drawn at its first sign-in.
        tokens: None once the session has ended.
        ended: the reason it ended for, None while it lives.
        grant: None for a sign-in through the server's own session API.
    """

    issuer: str
    username: str
    instance: Secret
    tokens: Tokens | None
    ended: str | None = None
    grant: OAuthGrant | None = None

    @property
    def renewable(self) -> bool:
        """Whether the server can be asked for other tokens."""
        by_secret = self.grant is not None and self.grant.grant_type == "client_credentials"
        return self.tokens is not None and (by_secret or self.tokens.refresh_token is not None)


class UnknownFormat(ValueError):
    """The record was written by a newer version."""


def dump(sign_in: SignIn) -> bytes:
    """The record as UTF-8 JSON, ready to be kept where only its owner can read it."""
    record = {"format": FORMAT if sign_in.grant is None else OAUTH_FORMAT, **_members(sign_in)}
    return json.dumps(record, indent=1, default=_members).encode()


def parse(raw: bytes) -> SignIn:
    """The record that `dump` printed.

    Raises:
        UnknownFormat: it comes from a newer version.
        ValueError: it is damaged.
    """
    try:
        record = json.loads(raw)
        if record["format"] not in {FORMAT, OAUTH_FORMAT}:
            raise UnknownFormat(f"format {record['format']!r}")
        return SignIn(
            issuer=_text(record, "issuer"),
            username=_text(record, "username"),
            instance=Secret(_text(record, "instance")),
            tokens=_tokens(record["tokens"]) if record["tokens"] is not None else None,
            ended=_optional(record, "ended"),
            grant=_grant(record["grant"]) if record["format"] == OAUTH_FORMAT else None,
        )
    except (KeyError, TypeError, RecursionError) as problem:
        raise ValueError(f"not a record of a sign-in: {type(problem).__name__}") from None


def _tokens(members: dict[str, Any]) -> Tokens:
    refresh_expires_at = members["refresh_expires_at"]
    return Tokens(
        access_token=Secret(_text(members, "access_token")),
        expires_at=float(members["expires_at"]),
        life_s=float(members["life_s"]),
        skew_s=float(members["skew_s"]),
        refresh_token=_optional_secret(members, "refresh_token"),
        refresh_expires_at=None if refresh_expires_at is None else float(refresh_expires_at),
        session_id=_text(members, "session_id"),
        scope=_text(members, "scope"),
    )


def _grant(members: dict[str, Any]) -> OAuthGrant:
    client, grant_type, auth_method = members["client"], members["grant_type"], members["auth_method"]
    if grant_type not in get_args(GrantType) or auth_method not in get_args(AuthMethod):
        raise TypeError("grant")
    return OAuthGrant(
        client=OAuthClient(
            client_id=_text(client, "client_id"),
            client_secret=_optional_secret(client, "client_secret"),
            scope=_text(client, "scope"),
            resource=_optional(client, "resource"),
        ),
        grant_type=grant_type,
        token_endpoint=_text(members, "token_endpoint"),
        auth_method=auth_method,
        revocation_endpoint=_optional(members, "revocation_endpoint"),
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _optional(members: dict[str, Any], name: str) -> str | None:
    return None if members[name] is None else _text(members, name)


def _optional_secret(members: dict[str, Any], name: str) -> Secret | None:
    value = _optional(members, name)
    return None if value is None else Secret(value)


def _members(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return {field.name: getattr(value, field.name) for field in fields(value)}
