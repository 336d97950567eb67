"""A hardware module (PKCS#11) as holder: private keys are made in it and never leave it."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import pkcs11
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.util.ec import encode_named_curve_parameters

from mapae.entropy import Entropy
from mapae.jose import base64url
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseError
from mapae.jose.jwk import Jwk
from mapae.secret import Secret
from mapae.server.adapters.key_holders import HolderUnavailable, MadeKey
from mapae.server.domain.keys import Key

Result = TypeVar("Result")

_KID_BYTES: Final = 6
_RSA_BITS: Final = 2048
#: DER of the curve's name as a PrintableString (PKCS #11 v3.1 section 6.3.3).
_EDWARDS25519: Final = b"\x13\x0cedwards25519"
_NEVER_LEAVES: Final = MappingProxyType({Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False})


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the module makes the keys of an algorithm, describes them, and signs with them."""

    make: Callable[[Any, bytes], tuple[Any, Any]]
    members: Callable[[Any], Mapping[str, str]]
    sign: Callable[[Any, bytes], bytes]


class Pkcs11Keys:
    """One token of one module. It is opened when first used, and anew after a failure.

    Args:
        library: the module's PKCS#11 library.
        token: label of the token.
        pin: of its user.
    """

    name = "pkcs11"

    def __init__(self, library: Path, token: str, pin: Secret, entropy: Entropy) -> None:
        self._library = library
        self._token = token
        self._pin = pin
        self._entropy = entropy
        self._session: Any = None
        self._private: dict[str, Any] = {}
        # A session of PKCS#11 is for one thread at a time.
        self._lock = threading.Lock()

    def make(self, algorithm: str) -> MadeKey:
        """See `KeyHolder`. The key signs once before it is shown to anybody."""
        kind, kid = _KINDS[algorithm], base64url.encode(self._entropy(_KID_BYTES))

        def make(session: Any) -> Jwk:
            public, private = kind.make(session, kid.encode())
            described = {"kty": ALGORITHMS[algorithm].kty, "use": "sig", "alg": algorithm, "kid": kid}
            key = Jwk.parse({**described, **kind.members(public)})
            ALGORITHMS[algorithm].verify(key.public_key, b"mapae", kind.sign(private, b"mapae"))
            return key

        try:
            key = self._with_session(make)
        except JoseError as error:
            raise HolderUnavailable(f"the PKCS#11 token makes {algorithm} keys that do not verify") from error
        return MadeKey(kid, key.to_dict(), b"")

    def signer(self, key: Key) -> "Pkcs11Signer":
        """See `KeyHolder`."""
        self._with_session(lambda session: self._found(session, key.kid))
        return Pkcs11Signer(self, key.kid, key.algorithm)

    def sign(self, kid: str, algorithm: str, data: bytes) -> bytes:
        """The signature of the key of this id over `data`.

        Raises:
            HolderUnavailable: see there.
        """
        return self._with_session(lambda session: _KINDS[algorithm].sign(self._found(session, kid), data))

    def _with_session(self, work: Callable[[Any], Result]) -> Result:
        with self._lock:
            if self._session is not None:
                with suppress(PKCS11Error):
                    return work(self._session)
                # Lost meanwhile: the module was restarted, the token was pulled.
                self._forget()
            try:
                token = pkcs11.lib(str(self._library)).get_token(token_label=self._token)
                self._session = token.open(rw=True, user_pin=self._pin.reveal())
                return work(self._session)
            except PKCS11Error as error:
                self._forget()
                told = type(error).__name__
                raise HolderUnavailable(f"the PKCS#11 token {self._token} cannot be used: {told}") from error

    def _forget(self) -> None:
        if self._session is not None:
            # The user is logged in as long as a session is open, and cannot log in twice.
            with suppress(PKCS11Error):
                self._session.close()
        self._session = None
        self._private.clear()

    def _found(self, session: Any, kid: str) -> Any:
        if kid not in self._private:
            self._private[kid] = session.get_key(object_class=ObjectClass.PRIVATE_KEY, id=kid.encode())
        return self._private[kid]


@dataclass(frozen=True, slots=True)
class Pkcs11Signer:
    """Signs with one key of a module, in a thread: a module may be at the end of a network."""

    keys: Pkcs11Keys
    kid: str
    algorithm: str

    async def sign(self, data: bytes) -> bytes:
        """See `Signer`."""
        return await asyncio.to_thread(self.keys.sign, self.kid, self.algorithm, data)


def _on_curve(key_type: KeyType, mechanism: Mechanism, parameters: bytes) -> Callable[[Any, bytes], Any]:
    def make(session: Any, kid: bytes) -> Any:
        curve = session.create_domain_parameters(key_type, {Attribute.EC_PARAMS: parameters}, local=True)
        return curve.generate_keypair(
            mechanism=mechanism, store=True, id=kid, label=kid.decode(), private_template=_NEVER_LEAVES
        )

    return make


def _make_rsa(session: Any, kid: bytes) -> Any:
    return session.generate_keypair(
        KeyType.RSA, _RSA_BITS, store=True, id=kid, label=kid.decode(), private_template=_NEVER_LEAVES
    )


def _point(public: Any) -> Mapping[str, str]:
    # A DER OCTET STRING around 0x04, x and y.
    point = public[Attribute.EC_POINT][-64:]
    return {"crv": "P-256", "x": base64url.encode(point[:32]), "y": base64url.encode(point[32:])}


def _edwards_point(public: Any) -> Mapping[str, str]:
    return {"crv": "Ed25519", "x": base64url.encode(public[Attribute.EC_POINT][-32:])}


def _modulus(public: Any) -> Mapping[str, str]:
    members = {"n": Attribute.MODULUS, "e": Attribute.PUBLIC_EXPONENT}
    return {name: base64url.encode(public[attribute].lstrip(b"\0")) for name, attribute in members.items()}


def _sign_ecdsa(private: Any, data: bytes) -> bytes:
    # PKCS #11 has r and s side by side, as RFC 7518 section 3.4 does.
    signature: bytes = private.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA)
    return signature


def _sign_by(mechanism: Mechanism, parameter: object = None) -> Callable[[Any, bytes], bytes]:
    def sign(private: Any, data: bytes) -> bytes:
        signature: bytes = private.sign(data, mechanism=mechanism, mechanism_param=parameter)
        return signature

    return sign


_KINDS: Final[Mapping[str, _Kind]] = {
    "ES256": _Kind(
        _on_curve(KeyType.EC, Mechanism.EC_KEY_PAIR_GEN, encode_named_curve_parameters("secp256r1")),
        _point,
        _sign_ecdsa,
    ),
    "RS256": _Kind(_make_rsa, _modulus, _sign_by(Mechanism.SHA256_RSA_PKCS)),
    # RFC 7518 section 3.5: MGF1 with the same hash, and a salt of the size of the hash output.
    "PS256": _Kind(
        _make_rsa, _modulus, _sign_by(Mechanism.SHA256_RSA_PKCS_PSS, (Mechanism.SHA256, MGF.SHA256, 32))
    ),
    "EdDSA": _Kind(
        _on_curve(KeyType.EC_EDWARDS, Mechanism.EC_EDWARDS_KEY_PAIR_GEN, _EDWARDS25519),
        _edwards_point,
        _sign_by(Mechanism.EDDSA),
    ),
}
