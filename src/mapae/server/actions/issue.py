"""Issue the tokens of a family's current turn: signs, and asks nobody."""

from dataclasses import dataclass

from mapae.oauth.scope import Scope
from mapae.secret import Secret
from mapae.server.actions.mint import Mint
from mapae.server.actions.tokens import Tokens
from mapae.server.domain.families import Family
from mapae.server.domain.refresh_token import RefreshTokenCodec


@dataclass(frozen=True, slots=True)
class Issue:
    """Makes both tokens. Call it after the commit: a signature takes time, and a transaction holds locks."""

    mint: Mint
    codec: RefreshTokenCodec

    async def __call__(self, family: Family, *, user_id: str, roles: tuple[str, ...], now: int) -> Tokens:
        """The tokens of `family` at its turn, for this user with the roles of this moment."""
        access_token = await self.mint.access_token(
            subject=family.subject or user_id,
            audience=family.audience,
            client_id=family.client_id,
            scope=Scope.of(family.scope.split()),
            session_id=family.session_id,
            auth_time=family.auth_time,
            roles=roles,
        )
        return Tokens(
            access_token=Secret(access_token),
            expires_in=self.mint.life_s,
            refresh_token=self.codec.write(family.id, family.turn),
            refresh_expires_in=max(0, family.expires_at - now),
            session_id=family.session_id,
            scope=family.scope,
        )
