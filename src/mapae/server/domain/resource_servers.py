"""Resource servers: the APIs tokens are for, and which of them a request means."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.server.domain.keys import DEFAULT_ALGORITHM


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """One API: `audience` is the `aud` of its tokens, `scopes` what can be asked for there.

    `signing_alg` is what its tokens are signed with, as soon as a key for it signs.
    """

    audience: str
    scopes: tuple[str, ...]
    signing_alg: str = DEFAULT_ALGORITHM


@dataclass(frozen=True, slots=True)
class Target:
    """What one token is for: exactly one audience (RFC 9068 section 3), and scopes of it alone."""

    audience: str
    scopes: tuple[str, ...]


class UnknownScope(Exception):
    """No single resource server has all the scopes asked for."""


def choose_target(
    servers: Sequence[ResourceServer], requested: Sequence[str] | None, *, issuer: str
) -> Target:
    """The resource server a first-party sign-in means.

    Without a request: the first one of the set-up, with all its scopes. With scopes: the first one that has them
    all. Where there are none at all, the issuer itself, without scopes.

    Raises:
        UnknownScope: no resource server has every scope asked for.
    """
    if requested is None or not requested:
        return Target(servers[0].audience, servers[0].scopes) if servers else Target(issuer, ())
    for server in servers:
        if set(requested) <= set(server.scopes):
            return Target(server.audience, tuple(dict.fromkeys(requested)))
    raise UnknownScope
