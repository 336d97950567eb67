"""Issue to an OAuth client: besides the tokens of its family, an ID token where it asked for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mapae.oauth.scope import OPENID
from mapae.oauth.token_response import TokenResponse
from mapae.secret import Secret
from mapae.server.actions.issue import Granted, Issue
from mapae.server.domain.claims import known_claims
from mapae.server.domain.clients import Client
from mapae.server.domain.families import Family
from mapae.server.store.engine import Database


@dataclass(frozen=True, slots=True)
class IssueToClient:
    """Call it after the commit, as `Issue`. The database is asked only for claims that have to stand in an ID token."""

    issue: Issue
    database: Database

    async def prepare(self, client: Client) -> None:
        """See that an ID token can be signed, before something is spent that buys one.

        Raises:
            HolderUnavailable, StoreUnavailable: there is no key of the client's algorithm, and none can be made now.
        """
        await self.issue.mint.ring.prepare_id_tokens(client.metadata.id_token_signed_response_alg)

    async def __call__(
        self, client: Client, granted: Granted, *, scope: str | None = None, nonce: str | None = None
    ) -> TokenResponse:
        """The tokens of `granted`.

        Args:
            scope: that of the access token, where it is less than the family's.
            nonce: that of the authorization request; none at a refresh (OpenID Connect Core section 12.2).
        """
        tokens = await self.issue(granted, scope=scope)
        renews = "refresh_token" in client.metadata.grant_types
        return TokenResponse(
            access_token=tokens.access_token,
            expires_in=tokens.expires_in,
            scope=tokens.scope,
            refresh_token=tokens.refresh_token if renews else None,
            refresh_expires_in=tokens.refresh_expires_in if renews else None,
            session_id=tokens.session_id,
            id_token=await self._id_token(client, granted, tokens.access_token, nonce),
        )

    async def _id_token(
        self, client: Client, granted: Granted, access_token: Secret, nonce: str | None
    ) -> Secret | None:
        if OPENID not in granted.family.scope.split():
            return None
        return Secret(
            await self.issue.mint.id_token(
                granted.family,
                subject=granted.subject,
                algorithm=client.metadata.id_token_signed_response_alg,
                nonce=nonce,
                access_token=access_token.reveal(),
                user=await self._user_claims(granted.family, granted.now),
            )
        )

    async def _user_claims(self, family: Family, now: int) -> Mapping[str, Any]:
        # OpenID Connect Core section 5.4: the claims of scopes are those of the userinfo endpoint.
        if not family.claims.id_token:
            return {}
        async with self.database.reading() as unit:
            user = await unit.users.of_live_session(family.session_id, now=now)
        return known_claims(user, family.claims.id_token) if user else {}
