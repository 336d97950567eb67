"""The order in which a token is checked, written once and without I/O.

    presented → cache → split → key → signature → type, claims → RFC 9068 → sender constraint → revocation

`Steps.check` does all of it unless the key is not there. Then the caller, a thread or a task, waits for what
`Steps.newer_keys` says and comes back with `Steps.check_again`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from mapae.clock import Clock
from mapae.jose import jws, jwt
from mapae.jose.errors import JoseError, JoseErrorCode
from mapae.jose.jwks import JwkSet
from mapae.oauth import access_token
from mapae.verifier.access_token import AccessToken
from mapae.verifier.errors import RejectionCode, TokenRejected, rejected
from mapae.verifier.key_source import GivenKeys, IssuerKeys, Pending
from mapae.verifier.token_cache import TokenCache

_NO_KEYS: Final = JwkSet(())


@dataclass(frozen=True, slots=True)
class Policy:
    """What an API accepts.

    Attributes:
        audiences: a token has to name one of them.
        leeway_s: how far its clock and the issuer's may be apart.
    """

    issuer: str
    audiences: frozenset[str]
    algorithms: frozenset[str]
    leeway_s: float


@dataclass(frozen=True, slots=True)
class Steps:
    """The checks of one API, with what they look at.

    Attributes:
        revoked: asked about each token, cached or not, after everything else.
    """

    policy: Policy
    keys: GivenKeys | IssuerKeys
    cache: TokenCache
    clock: Clock
    revoked: Callable[[AccessToken], bool] | None

    def check(self, raw: object) -> AccessToken | None:
        """The token as it was presented; None when no key known here is the one it names.

        Raises:
            TokenRejected: for the first rule it breaks.
        """
        if not isinstance(raw, str):
            code = RejectionCode.MISSING if raw is None else RejectionCode.MALFORMED
            raise TokenRejected(code, f"{type(raw).__name__} in place of a token")
        if not raw:
            raise TokenRejected(RejectionCode.MISSING, "an empty token")
        keys, now = self.keys.current(), self.clock()
        token = self.cache.find(raw, keys, now)
        if token is None:
            try:
                token = self._verified(raw, _NO_KEYS if keys is None else keys, now)
            except JoseError as error:
                if error.code is JoseErrorCode.UNKNOWN_KEY:
                    return None
                raise rejected(error) from None
        return token if self.revoked is None else self._unrevoked(token)

    def newer_keys(self) -> Pending | None:
        """What to wait for before `check_again`, if anything."""
        return self.keys.refetch()

    def check_again(self, raw: object) -> AccessToken:
        """The token that `check` knew no key for, with the keys there are now.

        Raises:
            TokenRejected: KEYS_UNAVAILABLE when the issuer could not be asked, else as `check`.
        """
        keys = self.keys.current()
        if keys is None or self.keys.problem:
            raise TokenRejected(RejectionCode.KEYS_UNAVAILABLE, self.keys.problem or "the issuer is silent")
        try:
            token = self._verified(cast("str", raw), keys, self.clock())
        except JoseError as error:
            raise rejected(error) from None
        return self._unrevoked(token)

    def recheck(self, token: AccessToken) -> float:
        """The seconds that are left to a token that was accepted.

        Raises:
            TokenRejected: EXPIRED, REVOKED.
        """
        left = token.expires_at + self.policy.leeway_s - self.clock()
        if left <= 0:
            raise TokenRejected(RejectionCode.EXPIRED, "exp has passed")
        self._unrevoked(token)
        return left

    def _verified(self, raw: str, keys: JwkSet, now: float) -> AccessToken:
        policy = self.policy
        parts = jws.split(raw)
        jws.verify(parts, keys.key_for(parts.header, policy.algorithms), policy.algorithms)
        claims = jwt.parse_claims(parts.payload)

        jwt.check_type(parts.header, access_token.TYPE)
        jwt.check_issuer(claims, policy.issuer)
        jwt.check_times(claims, now=now, leeway_s=policy.leeway_s)
        jwt.check_audience(claims, policy.audiences)
        token = AccessToken(claims)
        if "cnf" in claims:
            # RFC 9449 section 7.1 and its kin: a bound token MUST NOT be accepted without the proof.
            raise TokenRejected(RejectionCode.WRONG_BINDING, "cnf, and no proof of the key it names")
        self.cache.add(raw, token, keys, claims["exp"] + policy.leeway_s)
        return token

    def _unrevoked(self, token: AccessToken) -> AccessToken:
        if self.revoked is not None and self.revoked(token):
            raise TokenRejected(RejectionCode.REVOKED, f"jti {token.jti!r} is revoked")
        return token
