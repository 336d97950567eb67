"""Issuer: mints any access token, right or wrong, for tests of an API. No network."""

import hmac
import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mapae.clock import Clock, system_clock
from mapae.jose import base64url, jws, strict_json
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.oauth.access_token import TYPE, AccessTokenClaims
from mapae.oauth.scope import Scope
from mapae.verifier import Verifier

LIFE_S: Final = 300


class Issuer:
    """An issuer whose key is made with it and never leaves the process.

    Attributes:
        keys: its public keys, the one that signs first.
    """

    def __init__(
        self,
        *,
        audience: str,
        issuer: str = "https://issuer.test",
        algorithm: str = "ES256",
        clock: Clock = system_clock,
    ) -> None:
        """
        Args:
            audience: the API that tokens are for
            algorithm: what tokens are signed with
        """
        self.audience: Final = audience
        self.issuer: Final = issuer
        self.clock: Final = clock
        self._key = Jwk.generate(algorithm)
        self.keys = JwkSet([self._key.public()])
        self._numbers: Final = itertools.count(1)

    def rotate(self, *, keep: bool = True) -> None:
        """Sign with a new key from now on.

        Args:
            keep: whether the keys before it stay among `keys`; without, their tokens are refused
        """
        self._key = Jwk.generate(self._key.alg or "")
        self.keys = JwkSet([self._key.public(), *(self.keys if keep else ())])

    def verifier(self, **options: Any) -> Verifier:
        """A verifier that accepts what `token()` mints; `options` are further arguments of `Verifier`."""
        given = {
            "issuer": self.issuer,
            "audience": self.audience,
            "keys": lambda: self.keys,
            "clock": self.clock,
        }
        return Verifier(**{**given, **options})

    def token(  # noqa: PLR0913  # one argument a way to be wrong
        self,
        *,
        subject: str = "alice",
        scopes: Iterable[str] = (),
        roles: Collection[str] = (),
        audience: str | None = None,
        issuer: str | None = None,
        typ: str = TYPE,
        alg: str | None = None,
        expired: bool = False,
        not_yet_valid: bool = False,
        unknown_key: bool = False,
        tampered: bool = False,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """An access token: good, unless an argument says in which way it is not.

        Args:
            audience, issuer: others than those of this issuer
            typ: such as "JWT" or "dpop+jwt"
            alg: "none" for no signature, "HS256" for one made with the public key as if it were a secret
            expired, not_yet_valid: by an hour
            unknown_key: signed with a key that is not among `keys`
            tampered: the payload was changed after signing
            claims: replace or add claims; the value None removes one
            header: further members of the header of a signed token
        """
        now = int(self.clock()) + (3600 if not_yet_valid else -3600 - LIFE_S if expired else 0)
        usual = AccessTokenClaims(
            iss=issuer or self.issuer,
            sub=subject,
            aud=(audience or self.audience,),
            exp=now + LIFE_S,
            iat=now,
            jti=f"test-{next(self._numbers)}",
            client_id="test-client",
            scope=Scope.of(scopes),
            sid="test-session",
            auth_time=now,
            roles=tuple(roles),
        ).to_dict()
        payload = {name: value for name, value in {**usual, **(claims or {})}.items() if value is not None}
        encoded = strict_json.dump(payload)
        if alg is None:
            key = Jwk.generate(self._key.alg or "") if unknown_key else self._key
            token = jws.sign(encoded, key, algorithm=key.alg or "", typ=typ, extra=header)
        else:
            token = self._unsound(encoded, typ=typ, alg=alg)
        return _tampered(token, payload) if tampered else token

    def _unsound(self, payload: bytes, *, typ: str, alg: str) -> str:
        # What no library should sign is put together by hand.
        header = strict_json.dump({"alg": alg, "typ": typ, "kid": self._key.kid})
        signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
        if alg.lower() == "none":
            return f"{signing_input}."
        public = self._key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return f"{signing_input}.{base64url.encode(hmac.digest(public, signing_input.encode(), 'sha256'))}"


def _tampered(token: str, payload: Mapping[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{base64url.encode(strict_json.dump({**payload, 'sub': 'mallory'}))}.{signature}"
