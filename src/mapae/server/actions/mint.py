"""Mint tokens: signed JWTs that say themselves who the user is and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mapae.clock import Clock
from mapae.entropy import Entropy
from mapae.jose import jws, strict_json
from mapae.oauth import access_token as access_tokens
from mapae.oauth import id_token as id_tokens
from mapae.oauth import logout_token as logout_tokens
from mapae.oauth.access_token import AccessTokenClaims
from mapae.oauth.id_token import IdTokenClaims, access_token_hash
from mapae.oauth.logout_token import LogoutTokenClaims
from mapae.oauth.scope import Scope
from mapae.server.actions.key_ring import KeyRing, SigningKey
from mapae.server.domain.claims import ACR, AMR
from mapae.server.domain.families import Family
from mapae.server.domain.ids import new_id


@dataclass(frozen=True, slots=True)
class Mint:
    """Signs with the keys of the ring. `life_s` is how long a token lives, in seconds.

    Every method raises HolderUnavailable when whoever has the private key cannot be asked now.
    """

    issuer: str
    life_s: int
    ring: KeyRing
    clock: Clock
    entropy: Entropy

    async def access_token(  # noqa: PLR0913  # one argument a claim
        self,
        *,
        subject: str,
        audience: str,
        client_id: str,
        scope: Scope,
        session_id: str | None = None,
        auth_time: int | None = None,
        roles: tuple[str, ...] = (),
    ) -> str:
        """A signed access token. Nothing personal goes in: whoever holds it can read it.

        Implements: RFC 9068 sections 2.1 and 2.2.
        """
        now = int(self.clock())
        claims = AccessTokenClaims(
            iss=self.issuer,
            sub=subject,
            aud=(audience,),
            exp=now + self.life_s,
            iat=now,
            jti=new_id(self.entropy),
            client_id=client_id,
            scope=scope,
            sid=session_id,
            auth_time=auth_time,
            roles=roles,
        )
        return await self._signed(claims.to_dict(), self.ring.signing(audience), access_tokens.TYPE)

    async def id_token(
        self,
        family: Family,
        *,
        subject: str,
        algorithm: str,
        nonce: str | None,
        access_token: str,
        user: Mapping[str, Any],
    ) -> str:
        """A signed ID token for the client of `family`, with claims about the `user` that it asked for.

        Implements: OpenID Connect Core sections 2, 3.1.3.6 and 12.2.
        """
        now = int(self.clock())
        claims = IdTokenClaims(
            iss=self.issuer,
            sub=subject,
            aud=family.client_id,
            exp=now + self.life_s,
            iat=now,
            auth_time=family.auth_time,
            sid=family.session_id,
            acr=ACR,
            amr=AMR,
            at_hash=access_token_hash(access_token, algorithm),
            nonce=nonce,
            user=user,
        )
        return await self._signed(claims.to_dict(), self.ring.signing_id_tokens(algorithm), id_tokens.TYPE)

    async def logout_token(self, *, client_id: str, subject: str, session_id: str, algorithm: str) -> str:
        """A signed logout token, for a client whose ID tokens are signed with `algorithm`.

        Implements: OpenID Connect Back-Channel Logout section 2.4.
        """
        now = int(self.clock())
        claims = LogoutTokenClaims(
            iss=self.issuer,
            sub=subject,
            aud=client_id,
            iat=now,
            exp=now + logout_tokens.LIFE_S,
            jti=new_id(self.entropy),
            sid=session_id,
        )
        return await self._signed(
            claims.to_dict(), self.ring.signing_id_tokens(algorithm), logout_tokens.TYPE
        )

    async def _signed(self, claims: Mapping[str, Any], key: SigningKey, typ: str) -> str:
        signed = jws.signing_input(strict_json.dump(claims), algorithm=key.algorithm, kid=key.kid, typ=typ)
        return jws.join(signed, await key.signer.sign(signed))
