"""The declarative set-up: what a file says there shall be, parsed to the end before anything is done."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from mapae.oauth.errors import OAuthError
from mapae.oauth.scope import Scope
from mapae.secret import Secret
from mapae.server.domain.keys import DEFAULT_ALGORITHM, SIGNING_ALGORITHMS
from mapae.server.domain.passwords import (
    CredentialRefused,
    PreparedPassword,
    Username,
    parse_username,
    prepare_new_password,
)

#: An absolute URI without a fragment (RFC 8707 section 2).
_AUDIENCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", re.ASCII)
_ROLE: Final = re.compile(r"[!-~]{1,64}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


class SetupMistake(Exception):
    """Something in a set-up file is wrong; `lines` name the table and the key, and what to do. No secret in it."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines: Final = tuple(lines)


def _username(text: str) -> Username:
    try:
        return parse_username(text)
    except CredentialRefused as error:
        raise ValueError(f"is {error.code.replace('_', ' ')}") from None


def _password(text: str) -> PreparedPassword:
    try:
        return prepare_new_password(Secret(text))
    except CredentialRefused as error:
        raise ValueError(f"is {error.code.replace('_', ' ')}") from None


def _audience(text: str) -> str:
    if not _AUDIENCE.fullmatch(text) or "#" in text:
        raise ValueError("has to be an absolute URI without a fragment, as in https://api.example.com")
    return text


def _scope(text: str) -> str:
    try:
        scopes = tuple(Scope.parse(text))
    except OAuthError:
        scopes = ()
    if scopes != (text,):
        raise ValueError('has to be one scope, as in "orders:read"')
    return text


def _role(text: str) -> str:
    if not _ROLE.fullmatch(text):
        raise ValueError("has to be 1 to 64 visible ASCII characters")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("is no e-mail address")
    return text


def _signing_alg(text: str) -> str:
    if text not in SIGNING_ALGORITHMS:
        raise ValueError(f"has to be one of {', '.join(SIGNING_ALGORITHMS)}")
    return text


def _without_repeats(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("names something twice")
    return values


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


def _text_parsed_by(parse: Any) -> BeforeValidator:
    def validate(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError("has to be a string")  # noqa: TRY004  # what pydantic understands
        return parse(value)

    return BeforeValidator(validate)


_listed = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
_Roles = Annotated[
    tuple[Annotated[str, AfterValidator(_role)], ...], _listed, AfterValidator(_without_repeats)
]
_Scopes = Annotated[
    tuple[Annotated[str, AfterValidator(_scope)], ...], _listed, AfterValidator(_without_repeats)
]


class UserSetup(_Table):
    """A user there shall be. Without a password, an existing one is kept and a new user cannot sign in.

    Does not check: that `password_hash` can be used; who plans the change does.
    """

    username: Annotated[Username, _text_parsed_by(_username)]
    password: Annotated[PreparedPassword | None, _text_parsed_by(_password)] = None
    password_hash: str | None = None
    email: Annotated[str | None, _text_parsed_by(_email)] = None
    email_verified: bool = False
    roles: _Roles = ()

    @model_validator(mode="after")
    def _one_way_to_say_the_password(self) -> Self:
        if self.password is not None and self.password_hash is not None:
            raise ValueError("password and password_hash are both given; keep one")
        return self


class ResourceServerSetup(_Table):
    """A resource server there shall be."""

    audience: Annotated[str, AfterValidator(_audience)]
    scopes: _Scopes = ()
    signing_alg: Annotated[str, AfterValidator(_signing_alg)] = DEFAULT_ALGORITHM


class Setup(_Table):
    """A whole set-up file. What it does not name is left alone."""

    users: tuple[UserSetup, ...] = Field(default=())
    resource_servers: tuple[ResourceServerSetup, ...] = Field(default=())

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        _refuse_repeats("username", [user.username.key for user in self.users])
        _refuse_repeats("audience", [server.audience for server in self.resource_servers])
        return self


def parse_setup(document: Mapping[str, Any]) -> Setup:
    """The set-up in a TOML document.

    Raises:
        SetupMistake: with every mistake that was found.
    """
    try:
        return Setup.model_validate(
            {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
        )
    except ValidationError as error:
        raise SetupMistake(
            [_line(one) for one in error.errors(include_input=False, include_url=False)]
        ) from None


def _refuse_repeats(key: str, values: Sequence[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"two tables have the same {key}")


_TABLES: Final[Mapping[str, type[_Table]]] = {"users": UserSetup, "resource_servers": ResourceServerSetup}


def _line(error: ErrorDetails) -> str:
    where, wrong = _where(error["loc"]), error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "extra_forbidden":
            return f"{where} is not known{_nearest(error['loc'])}"
        case "missing":
            return f"{where} is missing"
        case "value_error":
            return f"{where} {wrong}".strip()
        case _:
            return f"{where}: {wrong[0].lower()}{wrong[1:]}"


def _where(path: tuple[int | str, ...]) -> str:
    """`('users', 1, 'roles', 0)` as `[[users]] number 2, roles`."""
    if not path:
        return ""
    table = f"[[{path[0]}]]"
    if len(path) > 1 and isinstance(path[1], int):
        table += f" number {path[1] + 1}"
    keys = [part for part in path[2:] if isinstance(part, str)]
    return ", ".join([table, *keys[:1]])


def _nearest(path: tuple[int | str, ...]) -> str:
    known = list(_TABLES) if len(path) == 1 else list(_TABLES[str(path[0])].model_fields)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"
