"""Revocation: a client gives a token back (RFC 7009)."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.form import Form
from mapae.secret import Secret
from mapae.server.actions.authenticate_client import AuthenticateClient
from mapae.server.actions.authenticate_token import AuthenticateToken
from mapae.server.actions.family_batches import FamilyBatches, Presentation
from mapae.server.actions.grants.refresh_token import presentation_of
from mapae.server.actions.read_refresh_token import ReadRefreshToken
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.events import AccessTokenRevoked
from mapae.server.domain.families import log_out
from mapae.server.domain.refresh_token import NotARefreshToken, RefreshKeyLost, RefreshToken
from mapae.server.store.engine import Database
from mapae.verifier import TokenRejected


@dataclass(frozen=True, slots=True)
class Revoke:
    """A refresh token ends its family, by the rules of a log-out; an access token dies alone."""

    authenticate: AuthenticateClient
    read: ReadRefreshToken
    batches: FamilyBatches
    tokens: AuthenticateToken
    database: Database

    async def __call__(self, authorization: Sequence[str], form: Form, caller: Caller) -> None:
        """Revoke the token in `form`. One that is unknown or dead already is no error (section 2.2).

        Args:
            authorization: the value of each `Authorization` header.
        Raises:
            OAuthError: INVALID_CLIENT, INVALID_REQUEST; INVALID_GRANT for the token of another client, which stays.
            Problem: TOO_MANY_ATTEMPTS.
            HashingBusy, StoreUnavailable: it cannot be done now.

        Implements: RFC 7009 section 2; `token_type_hint` is not needed.
        """
        client = await self.authenticate(authorization, form, caller)
        token = form.text("token")
        try:
            read = await self.read(Secret(token))
        except RefreshKeyLost:
            return
        except NotARefreshToken:
            await self._revoke_access_token(token, client, caller)
        else:
            await self._end_family(read, client, caller)

    async def _end_family(self, read: RefreshToken, client: Client, caller: Caller) -> None:
        presented = presentation_of(read, caller, client_id=client.client_id)
        decided = await self.batches.decide(Presentation(read.family_id, presented, log_out))
        if decided is not None and decided.read.family.client_id != client.client_id:
            raise _of_another_client()

    async def _revoke_access_token(self, raw: str, client: Client, caller: Caller) -> None:
        try:
            token = await self.tokens.verify(raw)
        except TokenRejected:
            return
        if token.client_id != client.client_id:
            raise _of_another_client()
        async with self.database.unit() as unit:
            await unit.access_tokens.revoke(token.jti, expires_at=int(token.expires_at))
            unit.record(
                AccessTokenRevoked(
                    token.jti, client.client_id, token.session_id, caller.address, caller.user_agent
                )
            )
            await unit.commit()


def _of_another_client() -> OAuthError:
    return OAuthError(ErrorCode.INVALID_GRANT, detail="a token of another client")
