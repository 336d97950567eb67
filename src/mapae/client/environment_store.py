"""The token in `MAPAE_TOKEN`, which goes before everything that is kept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mapae.client.errors import StoreFailed
from mapae.client.records import SignIn, Tokens
from mapae.clock import system_clock
from mapae.secret import Secret

VARIABLE: Final = "MAPAE_TOKEN"
#: Nobody here knows when it ends: an API says so.
_LIFE_S: Final = 1e9


class EnvironmentStore:
    """One access token, given from outside, that cannot be renewed. Nothing is ever written."""

    def __init__(self, issuer: str, token: Secret) -> None:
        expires_at = system_clock() + _LIFE_S
        tokens = Tokens(token, expires_at, _LIFE_S, 0.0, None, None, session_id="", scope="")
        self._sign_in: Final = SignIn(issuer, VARIABLE, Secret(""), tokens)

    @classmethod
    def of(cls, issuer: str) -> "EnvironmentStore | None":
        """The store for the variable, None when it is not set."""
        token = os.environ.get(VARIABLE)
        return cls(issuer, Secret(token)) if token else None

    def read(self) -> SignIn:
        """The token."""
        return self._sign_in

    def write(self, sign_in: SignIn) -> None:
        """Refused.

        Raises:
            StoreFailed: always.
        """
        raise self._fixed()

    def delete(self) -> None:
        """Refused.

        Raises:
            StoreFailed: always.
        """
        raise self._fixed()

    def instance(self, drawn: Secret) -> Secret:
        """A new name each time."""
        return drawn

    def attempt(self, turn: Secret, drawn: Secret) -> Secret:
        """A new value each time."""
        return drawn

    @contextmanager
    def lock(self, deadline_s: float) -> Iterator[bool]:
        """Nothing is written, so nothing is locked."""
        yield True

    def _fixed(self) -> StoreFailed:
        return StoreFailed(f"the token of {VARIABLE} is refused or over; put another one there, or unset it")
