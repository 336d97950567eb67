"""Userinfo: the claims about a user that an access token is good for (OpenID Connect Core section 5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mapae.oauth.scope import OPENID
from mapae.server.actions.authenticate_token import AuthenticateToken
from mapae.server.actions.live_tokens import LiveTokens
from mapae.server.domain.claims import claims_of_scopes, known_claims
from mapae.server.store.engine import Database
from mapae.verifier import RejectionCode, TokenRejected


@dataclass(frozen=True, slots=True)
class Userinfo:
    """Accepts a token for any audience of this issuer, as long as it has the scope `openid`."""

    tokens: AuthenticateToken
    live: LiveTokens
    database: Database

    async def __call__(self, raw: str | None) -> Mapping[str, Any]:
        """The claims that the token in `raw` is good for.

        Raises:
            TokenRejected: with the reason; INSUFFICIENT_SCOPE without `openid`.
            StoreUnavailable: the database cannot be asked now.
        """
        token = await self.tokens.verify(raw)
        if OPENID not in token.scopes or token.session_id is None:
            raise TokenRejected(RejectionCode.INSUFFICIENT_SCOPE, "no openid", scopes=(OPENID,))
        await self.live.owner(token)
        async with self.database.reading() as unit:
            user = await unit.users.of_live_session(token.session_id, now=await unit.now())
            asked = await unit.families.asked_of_userinfo(token.session_id, token.client_id)
        if user is None:
            raise TokenRejected(RejectionCode.REVOKED, "the session has just ended")
        names = {*claims_of_scopes(token.scopes), *asked}
        return {"sub": token.subject, **known_claims(user, names)}
