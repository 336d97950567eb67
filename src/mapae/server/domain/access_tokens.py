"""Access tokens that are dead before their end. Pure.

A token stands while all of these do: it was not revoked; and, where it is one of a user, the user is enabled, the
session is not over, and the client's grant in it goes on. A client that was granted anew after its former grant had
ended is not helped by that: what was issued until then is dead.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientGrant:
    """What one client has been granted in one session. Moments are NumericDate seconds of the database's clock.

    `live` says that one of its families has not ended, `last_ended_at` when the last of the others did.
    """

    user_id: str
    user_disabled: bool
    session_ended: bool
    session_expires_at: int
    live: bool
    last_ended_at: int | None
    now: int

    def covers(self, issued_at: float) -> bool:
        """Whether a token of this grant, issued then, still stands."""
        if self.user_disabled or self.session_ended or self.now >= self.session_expires_at or not self.live:
            return False
        return self.last_ended_at is None or issued_at > self.last_ended_at
