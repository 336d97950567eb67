"""Consent: what a user has agreed that a client may have, and when they have to be asked (again)."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mapae.oauth.scope import Scope


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user has agreed to for one client at one destination; `granted_at` in NumericDate seconds.

    `destination` is where the page said that the answer goes: so a client whose redirect URI has moved to another
    host asks anew.
    """

    user_id: str
    client_id: str
    destination: str
    scope: Scope
    granted_at: int

    def covers(self, scope: Scope, destination: str) -> bool:
        """Whether nothing of `scope` at `destination` is new to the user."""
        return self.destination == destination and set(scope) <= set(self.scope)


def destination_of(redirect_uri: str) -> str:
    """Where an answer goes, in the words that the user is shown: the host, or the scheme of an app's own."""
    parts = urlsplit(redirect_uri)
    return parts.hostname or f"{parts.scheme}:"


def granted(
    before: Iterable[Consent], *, user_id: str, client_id: str, destination: str, scope: Scope, now: int
) -> Consent:
    """The consent to keep when the user agrees now: what was agreed to before stays."""
    former = [token for one in before if one.destination == destination for token in one.scope]
    return Consent(user_id, client_id, destination, Scope.of((*former, *scope)), now)
