"""Secret: a string that never prints itself."""

import hashlib
import hmac
from typing import Final, final


@final
class Secret:
    """A value that must not reach a log, a URL, an exception or a screen.

    `str()`, `repr()` and f-strings show `Secret(…)`; only `reveal()` gives the value, at the
    place where it leaves the process. Equality is constant-time and only between secrets.
    Secrets do not pickle.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def digest(self) -> bytes:
        """SHA-256 of the value (32 bytes): what a table keeps in its place.

        Only for secrets with the entropy of a key; a password needs a password hash.
        """
        return hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).digest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.digest(), other.digest())

    __hash__ = None  # type: ignore[assignment]  # a dict look-up would compare in variable time

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("a Secret does not pickle")
