"""The tables of a set-up file, each key read into the type it has from then on."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, InstanceOf, model_validator
from pydantic_core import PydanticCustomError

from mapae.oauth.client_metadata import MEMBERS, ClientMetadata
from mapae.oauth.errors import OAuthError
from mapae.oauth.scope import Scope
from mapae.secret import Secret
from mapae.server.domain.clients import CLIENT_ID, COMMAND_LINE
from mapae.server.domain.keys import DEFAULT_ALGORITHM, SIGNING_ALGORITHMS
from mapae.server.domain.passwords import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
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
_WEB_PAGE: Final = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
#: OpenID Connect Core section 5.1: 0000 is a year that is not told.
_BIRTHDATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?", re.ASCII)
#: VSCHAR of RFC 6749 appendix A.2.
_CLIENT_SECRET: Final = re.compile(rf"[ -~]{{{MIN_PASSWORD_LENGTH},{MAX_PASSWORD_LENGTH}}}", re.ASCII)
_MAX_TEXT: Final = 200


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


def _line(text: str) -> str:
    if not text.isprintable() or not 0 < len(text) <= _MAX_TEXT:
        raise ValueError(f"has to be 1 to {_MAX_TEXT} printable characters")
    return text


def _lines(text: str) -> str:
    _line(text.replace("\n", " "))
    return text


def _web_page(text: str) -> str:
    if not _WEB_PAGE.fullmatch(text):
        raise ValueError("has to be an https or http URL")
    return text


def _birthdate(text: str) -> str:
    if not _BIRTHDATE.fullmatch(text):
        raise ValueError('has to be YYYY-MM-DD or YYYY, in quotes, as in "1990-05-17"')
    return text


def _signing_alg(text: str) -> str:
    if text not in SIGNING_ALGORITHMS:
        raise ValueError(f"has to be one of {', '.join(SIGNING_ALGORITHMS)}")
    return text


def _client_id(text: str) -> str:
    if not CLIENT_ID.fullmatch(text):
        raise ValueError("has to be 1 to 128 visible ASCII characters")
    if text == COMMAND_LINE.client_id:
        raise ValueError(f"is {text}, which is Mapae's own command line; choose another")
    return text


def _client_secret(text: str) -> PreparedPassword:
    if not _CLIENT_SECRET.fullmatch(text):
        raise ValueError(
            f"has to be {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters of ASCII, no controls"
        )
    return PreparedPassword(Secret(text))


def _without_repeats(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("names something twice")
    return values


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
_Line = Annotated[str | None, _text_parsed_by(_line)]
_Lines = Annotated[str | None, _text_parsed_by(_lines)]
_WebPage = Annotated[str | None, _text_parsed_by(_web_page)]


class Table(BaseModel):
    """One table of the file: no other keys, no other types, nothing of what was given in an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class Address(Table):
    """A postal address (OpenID Connect Core section 5.1.1)."""

    formatted: _Lines = None
    street_address: _Lines = None
    locality: _Line = None
    region: _Line = None
    postal_code: _Line = None
    country: _Line = None


class Claims(Table):
    """What is said of a user to the clients that may know (OpenID Connect Core section 5.1)."""

    name: _Line = None
    given_name: _Line = None
    family_name: _Line = None
    middle_name: _Line = None
    nickname: _Line = None
    preferred_username: _Line = None
    profile: _WebPage = None
    picture: _WebPage = None
    website: _WebPage = None
    gender: _Line = None
    birthdate: Annotated[str | None, _text_parsed_by(_birthdate)] = None
    zoneinfo: _Line = None
    locale: _Line = None
    phone_number: _Line = None
    phone_number_verified: bool | None = None
    address: Address | None = None

    @property
    def claims(self) -> Mapping[str, Any]:
        """Those that are given, by their names."""
        return self.model_dump(include=set(Claims.model_fields), exclude_none=True)


class UserSetup(Claims):
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


class ResourceServerSetup(Table):
    """A resource server there shall be."""

    audience: Annotated[str, AfterValidator(_audience)]
    scopes: _Scopes = ()
    signing_alg: Annotated[str, AfterValidator(_signing_alg)] = DEFAULT_ALGORITHM


class ClientSetup(Table):
    """A client there shall be. Without a secret, an existing one keeps its own.

    Does not check: that there is a secret where one is needed, and that `client_secret_hash` can be used; who plans the
    change does.
    """

    client_id: Annotated[str, AfterValidator(_client_id)]
    client_secret: Annotated[PreparedPassword | None, _text_parsed_by(_client_secret)] = None
    client_secret_hash: str | None = None
    metadata: InstanceOf[ClientMetadata]

    @model_validator(mode="before")
    @classmethod
    def _metadata_apart(cls, table: Any) -> Any:
        if not isinstance(table, dict):
            return table
        try:
            metadata = ClientMetadata.parse({name: table[name] for name in MEMBERS if name in table})
        except OAuthError as error:
            raise _member(error.description) from None
        return {"metadata": metadata} | {name: table[name] for name in table if name not in MEMBERS}

    @model_validator(mode="after")
    def _one_secret_where_one_is_used(self) -> Self:
        given = [value for value in (self.client_secret, self.client_secret_hash) if value is not None]
        if len(given) > 1:
            raise _member("client_secret and client_secret_hash are both given; keep one")
        if given and not self.metadata.has_secret:
            raise _member("client_secret is given, and token_endpoint_auth_method uses none; drop it")
        return self

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Every key that the table can have."""
        return (*(name for name in cls.model_fields if name != "metadata"), *MEMBERS)


def _member(words: str) -> PydanticCustomError:
    """What is wrong with a key, where the words begin with its name."""
    return PydanticCustomError("member", "{words}", {"words": words})
