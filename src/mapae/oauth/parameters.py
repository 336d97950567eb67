"""Request parameters: names and values of a query or a form, none of them twice (RFC 6749 section 3.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlencode

from mapae.oauth.errors import ErrorCode, OAuthError


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters in the order they were sent in. One without a value counts as not sent."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """The parameters of these pairs."""
        return cls(tuple((name, value) for name, value in pairs if value))

    @classmethod
    def of_query(cls, query: str) -> Self:
        """The parameters of a query string (application/x-www-form-urlencoded).

        Raises:
            OAuthError: INVALID_REQUEST when what is percent-encoded is no UTF-8.
        """
        try:
            return cls.of(parse_qsl(query, errors="strict"))
        except ValueError:
            raise OAuthError(ErrorCode.INVALID_REQUEST, detail="the query is no UTF-8") from None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter that may be sent more than once."""
        return tuple(value for known, value in self.pairs if known == name)

    def one(self, name: str) -> str | None:
        """The value of a parameter, or None where it was not sent.

        Raises:
            OAuthError: INVALID_REQUEST when it was sent more than once.
        """
        values = self.all(name)
        if len(values) > 1:
            # RFC 6749 section 3.1: parameters MUST NOT be included more than once.
            raise OAuthError(ErrorCode.INVALID_REQUEST, detail=f"{name} was sent {len(values)} times")
        return values[0] if values else None

    def without(self, name: str) -> Self:
        """All the others."""
        return type(self)(tuple(pair for pair in self.pairs if pair[0] != name))

    def and_one(self, name: str, value: str) -> Self:
        """These, and `name` once, at the end."""
        return type(self)((*self.without(name).pairs, (name, value)))

    def to_query(self) -> str:
        """The query string of these parameters."""
        return urlencode(self.pairs)
