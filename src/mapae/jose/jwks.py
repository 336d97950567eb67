"""A set of public keys, and the one among them for a token's header (RFC 7517 section 5)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Final, Self

from mapae.jose.errors import JoseError, JoseErrorCode, malformed, unusable_key
from mapae.jose.jwk import Jwk
from mapae.jose.key_material import PRIVATE_MEMBERS

_MAX_KEYS: Final = 64


class JwkSet:
    """Public keys, immutable, in their order."""

    __slots__ = ("_fitting", "_keys")

    def __init__(self, keys: Iterable[Jwk]) -> None:
        """
        Raises:
            JoseError: UNUSABLE_KEY when one of `keys` is private or shared.
        """
        self._keys: Final = tuple(keys)
        if any(key.is_private for key in self._keys):
            raise unusable_key("a private or shared key in a public key set")
        self._fitting: Final[dict[tuple[str | None, str], list[Jwk]]] = {}
        for key in self._keys:
            for name, algorithm in product({None, key.kid}, key.algorithms):
                self._fitting.setdefault((name, algorithm), []).append(key)

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], *, max_keys: int = _MAX_KEYS) -> Self:
        """The keys of a JWK Set that can verify signatures; other and unusable ones are left out.

        Args:
            mapping: the JSON object, as `strict_json.parse_object` returns it
            max_keys: how many entries `keys` may have, usable or not
        Raises:
            JoseError: MALFORMED when it is no key set or too large a one; UNUSABLE_KEY when a shared
                key or a private member is in it: whoever published that has lost the key.

        Implements: RFC 7517 section 5.
        """
        entries = mapping.get("keys")
        if not isinstance(entries, (list, tuple)):
            raise malformed("no key set: keys is missing or no array")
        if len(entries) > max_keys:
            raise malformed(f"a key set of more than {max_keys} keys")
        return cls(key for entry in entries if (key := _usable(entry)) is not None)

    def key_for(self, header: Mapping[str, Any], algorithms: Collection[str]) -> Jwk:
        """The one key that a token with this header may be verified with.

        The key is named by `kid`; without one, only a set with a single key for the algorithm will do.
        Where a `kid` names several keys for one algorithm, none of them is taken.

        Args:
            header: the header of a `Jws`
            algorithms: what the caller allows
        Raises:
            JoseError: ALGORITHM_REFUSED when `alg` is not allowed, else UNKNOWN_KEY.
        """
        alg = header["alg"]
        if alg not in algorithms:
            raise JoseError(JoseErrorCode.ALGORITHM_REFUSED, "alg is not among those allowed")
        fitting = self._fitting.get((header.get("kid"), alg), ())
        if len(fitting) != 1:
            raise JoseError(JoseErrorCode.UNKNOWN_KEY, f"{len(fitting)} keys fit kid and alg, not one")
        return fitting[0]

    def to_dict(self) -> dict[str, Any]:
        """The JWK Set, ready to be published."""
        return {"keys": [key.to_dict() for key in self._keys]}

    def __iter__(self) -> Iterator[Jwk]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _usable(entry: Any) -> Jwk | None:
    if not isinstance(entry, Mapping):
        raise malformed("no key set: a key is no object")
    if entry.get("kty") == "oct" or not PRIVATE_MEMBERS.isdisjoint(entry):
        raise unusable_key("a private or shared key in a public key set")
    try:
        return Jwk.parse(entry)
    # RFC 7517 section 5: implementations SHOULD ignore JWKs they do not understand or support.
    except JoseError:
        return None
