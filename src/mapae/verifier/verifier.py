"""Verifier: believes an access token without asking anybody, or says why not."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

from mapae.clock import Clock, monotonic_clock, system_clock
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.jwks import JwkSet
from mapae.misuse import Misuse
from mapae.verifier.access_token import AccessToken
from mapae.verifier.errors import TokenRejected
from mapae.verifier.key_source import GivenKeys, IssuerKeys
from mapae.verifier.needs import NOTHING, Needs
from mapae.verifier.origin import is_protected
from mapae.verifier.steps import Policy, Steps
from mapae.verifier.token_cache import TokenCache

#: Every algorithm with a public key; which of them a token may use, its key decides (RFC 8725 section 3.1).
ASYMMETRIC: Final = frozenset(row.name for row in ALGORITHMS.values() if row.kty != "oct")
LONGEST_LEEWAY_S: Final = 60
RECHECK_S: Final = 5.0


class Verifier:
    """Checks the access tokens of one issuer for one API. Safe to share between threads and event loops.

    Nothing is fetched before the first token; from then on the keys are looked after in the background, and no
    token that is signed with a known one waits for the network.
    """

    def __init__(  # noqa: PLR0913  # one argument a rule
        self,
        *,
        issuer: str,
        audience: str | Collection[str],
        keys: JwkSet | Callable[[], JwkSet] | None = None,
        algorithms: Collection[str] = ASYMMETRIC,
        leeway_s: float = 30,
        cache_size: int = 4096,
        revoked: Callable[[AccessToken], bool] | None = None,
        clock: Clock = system_clock,
        monotonic: Clock = monotonic_clock,
    ) -> None:
        """
        Args:
            issuer: the exact `iss`; without `keys` also the URL to discover them from
            audience: the exact `aud` of this API, or several of which any will do
            keys: the public keys, or a function that returns them, in place of discovery; see `GivenKeys`
            algorithms: the values of `alg` to accept
            leeway_s: how far the clocks may be apart, 0 to 60
            cache_size: how many verified tokens to remember; 0 checks the signature every time
            revoked: asked about each token that is otherwise good; must answer from memory
            clock: the time that tokens are compared with
            monotonic: the time that ages of keys are measured with
        Raises:
            Misuse: an argument that is senseless or unsafe.
        """
        audiences = frozenset((audience,) if isinstance(audience, str) else audience or ())
        if not issuer or not audiences or "" in audiences:
            raise Misuse("issuer and audience must not be empty")
        if keys is None and (not is_protected(issuer) or "?" in issuer or "#" in issuer):
            # RFC 8414 section 2: a URL that uses the "https" scheme and has no query or fragment components.
            raise Misuse("issuer must be an https URL (http on this machine) without query and fragment")
        if not algorithms or not ASYMMETRIC.issuperset(algorithms):
            raise Misuse(f"algorithms must be some of {', '.join(sorted(ASYMMETRIC))}")
        if not 0 <= leeway_s <= LONGEST_LEEWAY_S:
            raise Misuse(f"leeway_s must be from 0 to {LONGEST_LEEWAY_S}")
        if cache_size < 0:
            raise Misuse("cache_size must not be negative")
        self.issuer: Final = issuer
        self._steps: Final = Steps(
            Policy(issuer, audiences, frozenset(algorithms), leeway_s),
            IssuerKeys(issuer, monotonic) if keys is None else GivenKeys(keys),
            TokenCache(cache_size),
            clock,
            revoked,
        )

    def verify(self, raw: object, needs: Needs = NOTHING) -> AccessToken:
        """The token that `raw`, the text after "Bearer", is.

        Args:
            raw: None stands for a request without a token
            needs: what it has to be good for
        Raises:
            TokenRejected: with the reason; nothing else, whatever `raw` is.

        Waits only for keys it does not have, at most 5 s. In an event loop use `averify`.

        Implements: RFC 9068 section 4, RFC 8725.
        Does not check: what `needs` does not name, such as scopes.
        """
        token = self._steps.check(raw)
        if token is None:
            if (pending := self._steps.newer_keys()) is not None:
                pending.wait()
            token = self._steps.check_again(raw)
        if needs is not NOTHING:
            needs.check(token, now=self._steps.clock())
        return token

    async def averify(self, raw: object, needs: Needs = NOTHING) -> AccessToken:
        """As `verify`, for asyncio."""
        token = self._steps.check(raw)
        if token is None:
            if (pending := self._steps.newer_keys()) is not None:
                await pending.async_wait()
            token = self._steps.check_again(raw)
        if needs is not NOTHING:
            needs.check(token, now=self._steps.clock())
        return token

    def recheck(self, token: AccessToken, needs: Needs = NOTHING) -> float:
        """Check that a token accepted earlier still stands, and is good for `needs`; the seconds that are left to it.

        For views whose needs depend on the request, and for connections that outlive their token.

        Raises:
            TokenRejected: EXPIRED, REVOKED, INSUFFICIENT_SCOPE, INSUFFICIENT_USER_AUTHENTICATION.

        Does not check: the signature; it was.
        """
        left = self._steps.recheck(token)
        needs.check(token, now=self._steps.clock())
        return left

    async def ended(self, token: AccessToken, *, every_s: float = RECHECK_S) -> TokenRejected:
        """Wait until `token` is over; returns the reason, EXPIRED or REVOKED.

        Args:
            every_s: `revoked` is asked this often
        """
        from mapae.verifier import watch

        return await watch.ended(partial(self.recheck, token), every_s=every_s)

    def lasting(self, token: AccessToken, *, every_s: float = RECHECK_S) -> AbstractAsyncContextManager[None]:
        """Run the body of an `async with` for as long as `token` is good: a WebSocket, a stream of events.

        Then the body is cancelled, as by `asyncio.timeout`, and TokenRejected comes out: EXPIRED or REVOKED.

        Args:
            every_s: `revoked` is asked this often
        """
        from mapae.verifier import watch

        return watch.lasting(partial(self.recheck, token), every_s=every_s)
