"""The key ring: the signing key of this installation, made once, sealed in the database, opened at start."""

from dataclasses import dataclass

from mapae.clock import Clock
from mapae.jose import strict_json
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.server.adapters.sealing import CannotOpen, Sealer
from mapae.server.domain.keys import SealedKey
from mapae.server.store.engine import Database

DEFAULT_ALGORITHM = "ES256"


class WrongSecretKey(Exception):
    """The secret key of the settings does not open the signing keys of this database."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The private key that signs, and the public keys that are published."""

    signing: Jwk
    published: JwkSet


async def open_key_ring(database: Database, sealer: Sealer, *, clock: Clock) -> KeyRing:
    """The ring of this database; the first process of a new one makes the key.

    Raises:
        WrongSecretKey: it was sealed under another secret key.
        StoreUnavailable: the database cannot do it now.
    """
    async with database.reading() as unit:
        kept = await unit.keys.active()
    if not kept:
        async with database.unit() as unit:
            await unit.keys.add_unless_active(_make(sealer, now=int(clock())))
            await unit.commit()
        async with database.reading() as unit:
            kept = await unit.keys.active()
    signing = _opened(kept[0], sealer)
    return KeyRing(signing, JwkSet.parse({"keys": [key.public for key in kept]}))


def _make(sealer: Sealer, *, now: int) -> SealedKey:
    key = Jwk.generate(DEFAULT_ALGORITHM)
    assert key.kid is not None
    return SealedKey(
        kid=key.kid,
        algorithm=DEFAULT_ALGORITHM,
        public=key.public().to_dict(),
        sealed=sealer.seal(strict_json.dump(key.to_dict()), purpose=_purpose(key.kid)),
        created_at=now,
    )


def _opened(key: SealedKey, sealer: Sealer) -> Jwk:
    try:
        return Jwk.parse(strict_json.parse_object(sealer.open(key.sealed, purpose=_purpose(key.kid))))
    except CannotOpen as error:
        raise WrongSecretKey from error


def _purpose(kid: str) -> str:
    return f"signing key {kid}"
