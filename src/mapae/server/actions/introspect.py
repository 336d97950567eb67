"""Introspection: whether a token stands, told to whom it concerns (RFC 7662)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mapae.clock import Clock
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.form import Form
from mapae.server.actions.authenticate_client import AuthenticateClient
from mapae.server.actions.authenticate_token import AuthenticateToken
from mapae.server.actions.client_directory import ClientDirectory
from mapae.server.actions.live_tokens import LiveTokens
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.verifier import AccessToken, TokenRejected

#: Section 2.2: of a token that is not active, nothing else is said.
INACTIVE: Final[Mapping[str, Any]] = {"active": False}


@dataclass(frozen=True, slots=True)
class Introspect:
    """Only access tokens are ever active: a resource server must never take a refresh token for one."""

    authenticate: AuthenticateClient
    tokens: AuthenticateToken
    live: LiveTokens
    clients: ClientDirectory
    clock: Clock

    async def __call__(self, authorization: Sequence[str], form: Form, caller: Caller) -> Mapping[str, Any]:
        """The members of the answer.

        Args:
            authorization: the value of each `Authorization` header.
        Raises:
            OAuthError: INVALID_CLIENT, also for a client that cannot prove who it is; INVALID_REQUEST.
            Problem: TOO_MANY_ATTEMPTS.
            HashingBusy, StoreUnavailable: it cannot be done now.

        Implements: RFC 7662 sections 2.1 and 2.2; `token_type_hint` is not needed.
        """
        client = await self.authenticate(authorization, form, caller)
        if not client.metadata.is_confidential:
            # Section 2.1: the endpoint MUST require some form of authorization, so that tokens cannot be guessed.
            raise OAuthError(ErrorCode.INVALID_CLIENT, detail="a public client")
        try:
            token = await self.tokens.verify(form.text("token"))
            if self.clock() >= token.expires_at or not _concerns(client, token):
                return INACTIVE
            if await self.live.owner(token) is None and await self.clients.find(token.client_id) is None:
                return INACTIVE
        except TokenRejected:
            return INACTIVE
        return {"active": True, "token_type": "Bearer", **token.claims}


def _concerns(client: Client, token: AccessToken) -> bool:
    """Whether the token is for the API that the client speaks for, or the client's own (section 4)."""
    return client.metadata.resource_server in token.audience or client.client_id == token.client_id
