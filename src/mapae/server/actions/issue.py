"""Issue the tokens of a family's current turn: signs, and asks nobody."""

from dataclasses import dataclass
from typing import NamedTuple

from mapae.oauth.scope import Scope
from mapae.secret import Secret
from mapae.server.actions.mint import Mint
from mapae.server.actions.tokens import Tokens
from mapae.server.domain.families import Family
from mapae.server.domain.refresh_token import RefreshTokenCodec


class Granted(NamedTuple):
    """What tokens are issued for: a family at its turn, and its user with the roles of this moment."""

    family: Family
    user_id: str
    roles: tuple[str, ...]
    now: int

    @property
    def subject(self) -> str:
        """What the client knows the user as."""
        return self.family.subject or self.user_id


@dataclass(frozen=True, slots=True)
class Issue:
    """Makes both tokens. Call it after the commit: a signature takes time, and a transaction holds locks."""

    mint: Mint
    codec: RefreshTokenCodec

    async def __call__(self, granted: Granted, *, scope: str | None = None) -> Tokens:
        """The tokens of the family at its turn.

        Args:
            scope: that of the access token, where it is less than the family's.
        """
        family = granted.family
        scope = family.scope if scope is None else scope
        access_token = await self.mint.access_token(
            subject=granted.subject,
            audience=family.audience,
            client_id=family.client_id,
            scope=Scope.of(scope.split()),
            session_id=family.session_id,
            auth_time=family.auth_time,
            roles=granted.roles,
        )
        return Tokens(
            access_token=Secret(access_token),
            expires_in=self.mint.life_s,
            refresh_token=self.codec.write(family.id, family.turn),
            refresh_expires_in=max(0, family.expires_at - granted.now),
            session_id=family.session_id,
            scope=scope,
        )
