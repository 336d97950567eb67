"""The token endpoint: who asks, whether they may ask this, and the grant that answers (RFC 6749 section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.form import Form
from mapae.oauth.scope import NO_SCOPE
from mapae.oauth.token_request import (
    ClientCredentialsRequest,
    CodeRequest,
    RefreshRequest,
    TokenRequest,
    parse_token_request,
)
from mapae.oauth.token_response import TokenResponse
from mapae.server.actions.authenticate_client import AuthenticateClient
from mapae.server.actions.grants.authorization_code import AuthorizationCodeGrant
from mapae.server.actions.grants.client_credentials import ClientCredentialsGrant
from mapae.server.actions.grants.refresh_token import RefreshGrant, RefreshRefused
from mapae.server.actions.issue_to_client import IssueToClient
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.families import RefusalCode, spend_for


@dataclass(frozen=True, slots=True)
class AnswerTokenRequest:
    """What every grant has in common stands here, so that none can forget it."""

    authenticate: AuthenticateClient
    by_code: AuthorizationCodeGrant
    by_refresh_token: RefreshGrant
    by_client_credentials: ClientCredentialsGrant
    issue: IssueToClient
    metrics: Metrics

    async def __call__(self, authorization: Sequence[str], form: Form, caller: Caller) -> TokenResponse:
        """The tokens of a request.

        Args:
            authorization: the value of each `Authorization` header.
        Raises:
            OAuthError: with the reason (RFC 6749 section 5.2).
            Problem: TOO_MANY_ATTEMPTS.
            HashingBusy, StoreUnavailable, HolderUnavailable: it cannot be done now.
        """
        client = await self.authenticate(authorization, form, caller)
        request = parse_token_request(form)
        if request.grant_type not in client.metadata.grant_types:
            raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, detail=f"client {client.client_id}")
        response = await self._answer(client, request, caller)
        self.metrics.granted(request.grant_type)
        return response

    async def _answer(self, client: Client, request: TokenRequest, caller: Caller) -> TokenResponse:
        match request:
            case CodeRequest():
                await self.issue.prepare(client)
                granted, code = await self.by_code(client, request, caller)
                return await self.issue(client, granted, nonce=code.nonce)
            case RefreshRequest():
                return await self._refresh(client, request, caller)
            case ClientCredentialsRequest():
                return await self.by_client_credentials(client, request)
            case _:
                assert_never(request)

    async def _refresh(self, client: Client, request: RefreshRequest, caller: Caller) -> TokenResponse:
        rule = spend_for(request.scope or NO_SCOPE, request.resource)
        try:
            granted = await self.by_refresh_token(
                request.refresh_token, caller, client_id=client.client_id, rule=rule
            )
        except RefreshRefused as refused:
            raise _error_of(refused) from None
        return await self.issue(client, granted, scope=str(request.scope) if request.scope else None)


def _error_of(refused: RefreshRefused) -> OAuthError:
    """The refusal in the words of OAuth; how something ended is told in two members of ours."""
    ending = refused.ending
    if ending is not None:
        members = {"reason": ending.reason.value, "ended_at": ending.at}
        return OAuthError(ErrorCode.INVALID_GRANT, detail=refused.detail, members=members)
    match refused.code:
        case RefusalCode.INVALID_GRANT | RefusalCode.KEY_LOST:
            code = ErrorCode.INVALID_GRANT
        case RefusalCode.INVALID_SCOPE:
            code = ErrorCode.INVALID_SCOPE
        case RefusalCode.INVALID_TARGET:
            code = ErrorCode.INVALID_TARGET
        case RefusalCode.INVALID_DPOP_PROOF:
            code = ErrorCode.INVALID_DPOP_PROOF
        case _:
            assert_never(refused.code)
    return OAuthError(code, detail=refused.detail)
