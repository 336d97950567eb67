"""Client credentials: a token for the client itself, with no user and no session (RFC 6749 section 4.4)."""

from dataclasses import dataclass

from mapae.oauth.scope import Scope
from mapae.oauth.token_request import ClientCredentialsRequest
from mapae.oauth.token_response import TokenResponse
from mapae.secret import Secret
from mapae.server.actions.mint import Mint
from mapae.server.actions.resource_directory import ResourceDirectory
from mapae.server.domain.clients import Client
from mapae.server.domain.granting import own_target


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant:
    """Signs, and in the steady state asks nobody."""

    servers: ResourceDirectory
    mint: Mint

    async def __call__(self, client: Client, request: ClientCredentialsRequest) -> TokenResponse:
        """An access token whose subject is the client; no refresh token, no ID token (section 4.4.3).

        Raises:
            OAuthError: INVALID_SCOPE, INVALID_TARGET.
            StoreUnavailable, HolderUnavailable: nothing can be signed now.
        """
        target = own_target(
            client, request.scope, request.resource, await self.servers.all(), issuer=self.mint.issuer
        )
        access_token = await self.mint.access_token(
            subject=client.client_id,
            audience=target.audience,
            client_id=client.client_id,
            scope=Scope.of(target.scopes),
        )
        return TokenResponse(
            access_token=Secret(access_token), expires_in=self.mint.life_s, scope=" ".join(target.scopes)
        )
