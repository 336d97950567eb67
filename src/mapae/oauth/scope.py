"""Scope: what an access token is good for (RFC 6749 section 3.3)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from mapae.oauth.errors import ErrorCode, OAuthError

#: Asks for an ID token (OpenID Connect Core section 3.1.2.1).
OPENID: Final = "openid"
#: Asks for a refresh token (OpenID Connect Core section 11).
OFFLINE_ACCESS: Final = "offline_access"
#: The scopes of OpenID Connect Core sections 3.1.2.1, 5.4 and 11; all others are those of an API.
OPENID_SCOPES: Final = (OPENID, "profile", "email", "address", "phone", OFFLINE_ACCESS)

_NAME: Final = r"[\x21\x23-\x5B\x5D-\x7E]+"
_SCOPE: Final = re.compile(rf"{_NAME}(?: {_NAME})*")


@dataclass(frozen=True, slots=True)
class Scope:
    """Scope tokens, each once, in the order they were named. `str()` prints the parameter `scope`."""

    tokens: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The scope that `text` names: one token or more, a single space between two.

        Raises:
            OAuthError: INVALID_SCOPE, also when `text` is empty.

        Implements: RFC 6749 section 3.3; case matters, repetition does not.
        """
        if _SCOPE.fullmatch(text) is None:
            raise OAuthError(ErrorCode.INVALID_SCOPE, detail="scope is not tokens with single spaces between")
        return cls(tuple(dict.fromkeys(text.split(" "))))

    @classmethod
    def of(cls, tokens: Iterable[str]) -> Self:
        """The scope of these tokens; of none, the empty scope, which has no form on the wire.

        Raises:
            OAuthError: INVALID_SCOPE when one of them is no scope token.
        """
        tokens = tuple(tokens)
        return cls.parse(" ".join(tokens)) if tokens else cls(())

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.tokens

    def __len__(self) -> int:
        return len(self.tokens)

    def __str__(self) -> str:
        return " ".join(self.tokens)


#: What a token without `scope` has.
NO_SCOPE: Final = Scope(())
