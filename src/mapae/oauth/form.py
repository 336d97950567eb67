"""The parameters of a request's body: application/x-www-form-urlencoded, read strictly."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qsl

from mapae.oauth.errors import ErrorCode, OAuthError

#: More than any request has that means well.
_MOST_PARAMETERS: Final = 100
#: The one parameter that may be sent more than once (RFC 8707 section 2).
_RESOURCE: Final = "resource"


@dataclass(frozen=True, slots=True)
class Form(Mapping[str, str]):
    """Parameters by name. One without a value counts as not sent (RFC 6749 section 3.2).

    `resources` are the values of `resource`, which is not among the others.
    """

    members: Mapping[str, str]
    resources: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The parameters in a body.

        Raises:
            OAuthError: INVALID_REQUEST when it is not in this form, a parameter is there twice, there are more than
                100, or one holds a NUL, which no parameter may and no database takes.

        Implements: RFC 6749 sections 3.2 and appendix B.
        """
        try:
            pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            raise _invalid("the body is no form, or of more than 100 parameters") from None
        members: dict[str, str] = {}
        resources = []
        for name, value in pairs:
            if "\0" in name or "\0" in value:
                raise _invalid("a NUL in a parameter")
            if name == _RESOURCE:
                resources.append(value)
            elif name in members:
                raise _invalid("a parameter is there twice")
            else:
                members[name] = value
        return cls({name: value for name, value in members.items() if value}, tuple(filter(None, resources)))

    def text(self, name: str) -> str:
        """A parameter that has to be there.

        Raises:
            OAuthError: INVALID_REQUEST, naming the parameter.
        """
        value = self.members.get(name)
        if value is None:
            raise OAuthError(
                ErrorCode.INVALID_REQUEST,
                detail=f"{name} is missing",
                description=f"The parameter {name} is missing.",
            )
        return value

    def __getitem__(self, name: str) -> str:
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        return f"Form({', '.join(self.members)})"  # the values are codes, tokens, passwords


def _invalid(detail: str) -> OAuthError:
    return OAuthError(
        ErrorCode.INVALID_REQUEST,
        detail=detail,
        description="The body has to be a form in UTF-8, with each parameter once.",
    )
