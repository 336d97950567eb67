"""Sessions: one sign-in of one user on one device, and the reasons one can end for."""

from dataclasses import dataclass, replace
from enum import StrEnum

#: The client of `/auth/login` when the caller names none: the user's own, first-party door.
FIRST_PARTY_CLIENT_ID = "mapae"


class EndReason(StrEnum):
    """Why a session or a refresh family is over; the `reason` of the wire."""

    EXPIRED = "expired"
    IDLE = "idle"
    LOGGED_OUT = "logged_out"
    REPLAYED = "replayed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # no password
    USER_DISABLED = "user_disabled"
    REVOKED_BY_USER = "revoked_by_user"
    REVOKED_BY_ADMIN = "revoked_by_admin"
    CLIENT_REMOVED = "client_removed"
    KEY_LOST = "key_lost"


@dataclass(frozen=True, slots=True)
class Ending:
    """That something is over: why, and since when (NumericDate seconds)."""

    reason: EndReason
    at: int


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. All moments are NumericDate seconds of the database's clock.

    `address` and `user_agent` are those of the sign-in; `device_name` is what the client calls itself.
    `authenticated_at` is when the password was last asked for; `cookie_digest` is SHA-256 of the cookie of a browser
    that signed in at our page, None elsewhere.
    """

    id: str
    user_id: str
    client_id: str
    created_at: int
    expires_at: int
    authenticated_at: int
    device_name: str | None
    address: str | None
    user_agent: str | None
    cookie_digest: bytes | None = None
    ending: Ending | None = None

    def end(self, reason: EndReason, *, now: int) -> "Session":
        """This session, ended; one that is over already keeps its own reason."""
        return self if self.ending else replace(self, ending=Ending(reason, now))


def run_out(expires_at: int, idle_at: int, *, now: int) -> Ending | None:
    """How something with an absolute and an idle end is over at `now`: whichever came first, or None.

    At the second of an end it is over.
    """
    if now >= expires_at and expires_at <= idle_at:
        return Ending(EndReason.EXPIRED, expires_at)
    if now >= idle_at:
        return Ending(EndReason.IDLE, idle_at)
    return None


def rounded_to_the_hour(moment: int) -> int:
    """`last_used` as it is shown to anyone: so that it tells nobody the rhythm of a client."""
    return moment - moment % 3600
