"""Mint access tokens: signed JWTs that say themselves who the user is and what they may do (RFC 9068)."""

from dataclasses import dataclass

from mapae.clock import Clock
from mapae.entropy import Entropy
from mapae.jose import jws, strict_json
from mapae.oauth.access_token import TYPE, AccessTokenClaims
from mapae.oauth.scope import Scope
from mapae.server.actions.key_ring import KeyRing
from mapae.server.domain.ids import new_id


@dataclass(frozen=True, slots=True)
class Mint:
    """Signs with the ring's key for the audience. `life_s` is how long an access token lives, in seconds."""

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
        session_id: str,
        auth_time: int,
        roles: tuple[str, ...],
    ) -> str:
        """A signed access token. Nothing personal goes in: whoever holds it can read it.

        Raises:
            HolderUnavailable: whoever has the private key cannot be asked now.

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
        key = self.ring.signing(audience)
        signed = jws.signing_input(
            strict_json.dump(claims.to_dict()), algorithm=key.algorithm, kid=key.kid, typ=TYPE
        )
        return jws.join(signed, await key.signer.sign(signed))
