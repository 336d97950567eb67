"""Audit events: one dataclass an event, saved in the transaction of what it tells. Never a secret."""

from dataclasses import dataclass
from typing import ClassVar

from mapae.server.domain.families import Report
from mapae.server.domain.sessions import EndReason


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session began."""

    name: ClassVar[str] = "signed_in"
    user_id: str
    session_id: str
    client_id: str
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class SignedInAgain:
    """The user of a session was asked for their password again, in the same browser."""

    name: ClassVar[str] = "signed_in_again"
    user_id: str
    session_id: str
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """A sign-in was refused. The name that was tried is not kept: people type passwords into it."""

    name: ClassVar[str] = "sign_in_refused"
    user_id: str | None
    code: str
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session is over."""

    name: ClassVar[str] = "session_ended"
    user_id: str
    session_id: str
    reason: EndReason
    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A user agreed that a client may have `scope`, which is all that they have agreed to for it."""

    name: ClassVar[str] = "consent_given"
    user_id: str
    client_id: str
    scope: str


@dataclass(frozen=True, slots=True)
class LogoutUndelivered:
    """A client was not told that a session is over, however often it was tried (back-channel logout)."""

    name: ClassVar[str] = "logout_undelivered"
    client_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class RefreshReported:
    """A refresh token was presented in a way an operator should know of; for a theft, both sides stand here.

    `address` and `user_agent` are those of the request; `last_*` those of the family's last turn.
    """

    name: ClassVar[str] = "refresh_reported"
    report: Report
    session_id: str
    client_id: str
    presented_turn: int
    current_turn: int
    address: str | None
    user_agent: str | None
    last_address: str | None
    last_user_agent: str | None


@dataclass(frozen=True, slots=True)
class CodeRedeemed:
    """A client got tokens of a user for an authorization code."""

    name: ClassVar[str] = "code_redeemed"
    user_id: str
    session_id: str
    client_id: str
    scope: str
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class CodeReplay:
    """An authorization code was presented a second time. What its first use began has ended with `replayed`."""

    name: ClassVar[str] = "code_replay"
    user_id: str
    session_id: str
    client_id: str
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class AccessTokenRevoked:
    """A client had one of its access tokens revoked before its end; `session_id` is null where there was no user."""

    name: ClassVar[str] = "access_token_revoked"
    jti: str
    client_id: str
    session_id: str | None
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A user was created, or what is kept of one was changed; `what` names the members, never their values."""

    name: ClassVar[str] = "user_changed"
    user_id: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourceServerChanged:
    """An operator added a resource server, or changed its scopes or its algorithm."""

    name: ClassVar[str] = "resource_server_changed"
    audience: str


@dataclass(frozen=True, slots=True)
class ClientChanged:
    """An operator registered a client, or changed it; `what` names the members, never the secret."""

    name: ClassVar[str] = "client_changed"
    client_id: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientRemoved:
    """An operator removed a client; so many of its refresh families ended with `client_removed`."""

    name: ClassVar[str] = "client_removed"
    client_id: str
    families_ended: int


@dataclass(frozen=True, slots=True)
class ClientRefused:
    """Somebody presented a wrong secret, or one where the client uses none; `client_id` is null for unknown ones."""

    name: ClassVar[str] = "client_refused"
    client_id: str | None
    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class KeyScheduled:
    """A key was made, or is to sign from or until another moment than before; in seconds since 1970."""

    name: ClassVar[str] = "key_scheduled"
    kid: str
    algorithm: str
    signs_from: int
    signs_until: int | None


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """An operator revoked a key: nothing that it signed is believed any more."""

    name: ClassVar[str] = "key_revoked"
    kid: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class KeyResealed:
    """An operator had a private key sealed under the secret key of now, in place of a former one."""

    name: ClassVar[str] = "key_resealed"
    kid: str


Event = (
    SignedIn
    | SignedInAgain
    | SignInRefused
    | SessionEnded
    | ConsentGiven
    | LogoutUndelivered
    | RefreshReported
    | CodeRedeemed
    | CodeReplay
    | AccessTokenRevoked
    | UserChanged
    | ResourceServerChanged
    | ClientChanged
    | ClientRemoved
    | ClientRefused
    | KeyScheduled
    | KeyRevoked
    | KeyResealed
)
