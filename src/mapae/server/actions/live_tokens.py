"""Whether access tokens still stand: asked of the database, for all who ask at the same time at once."""

from collections.abc import Sequence

from mapae.server.actions.group_commit import GroupCommit
from mapae.server.store.engine import Database, StoreUnavailable
from mapae.verifier import AccessToken, RejectionCode, TokenRejected


class LiveTokens:
    """Two reads a batch, whatever its size. Nothing is remembered: what has ended is dead at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = GroupCommit(self._owners, common=StoreUnavailable)

    async def owner(self, token: AccessToken) -> str | None:
        """The id of the user whose token this is, or None for one that a client got for itself.

        Raises:
            TokenRejected: REVOKED (domain/access_tokens).
            StoreUnavailable: the database cannot be asked now.
        """
        owner = await self._reads.submit(token)
        if isinstance(owner, TokenRejected):
            raise owner
        return owner

    async def _owners(self, tokens: Sequence[AccessToken]) -> Sequence[str | TokenRejected | None]:
        async with self._database.reading() as unit:
            revoked = await unit.access_tokens.revoked({token.jti for token in tokens})
            session_ids = {token.session_id for token in tokens if token.session_id is not None}
            grants = await unit.access_tokens.grants(session_ids) if session_ids else {}
        owners: list[str | TokenRejected | None] = []
        for token in tokens:
            grant = grants.get((token.session_id, token.client_id)) if token.session_id else None
            stands = grant.covers(token.issued_at) if grant else token.session_id is None
            if token.jti in revoked or not stands:
                owners.append(TokenRejected(RejectionCode.REVOKED, f"jti {token.jti!r}"))
            else:
                owners.append(grant.user_id if grant else None)
        return owners
