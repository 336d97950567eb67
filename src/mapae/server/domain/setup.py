"""The declarative set-up: what a file says there shall be, parsed to the end before anything is done."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from mapae.server.domain.setup_tables import Address, ClientSetup, ResourceServerSetup, Table, UserSetup

#: The keys of each table, by the path to it.
TABLES: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    ("users",): tuple(UserSetup.model_fields),
    ("users", "address"): tuple(Address.model_fields),
    ("resource_servers",): tuple(ResourceServerSetup.model_fields),
    ("clients",): ClientSetup.keys(),
}


class SetupMistake(Exception):
    """Something in a set-up file is wrong; `lines` name the table and the key, and what to do. No secret in it."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines: Final = tuple(lines)


class Setup(Table):
    """A whole set-up file. What it does not name is left alone."""

    users: tuple[UserSetup, ...] = Field(default=())
    resource_servers: tuple[ResourceServerSetup, ...] = Field(default=())
    clients: tuple[ClientSetup, ...] = Field(default=())

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        _refuse_repeats("username", [user.username.key for user in self.users])
        _refuse_repeats("audience", [server.audience for server in self.resource_servers])
        _refuse_repeats("client_id", [client.client_id for client in self.clients])
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


def _line(error: ErrorDetails) -> str:
    where, wrong = _where(error["loc"]), error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "extra_forbidden":
            return f"{where} is not known{_nearest(error['loc'])}"
        case "missing":
            return f"{where} is missing"
        case "member":
            return f"{where}, {wrong}"
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
    keys = [part for part in path[1:] if isinstance(part, str)]
    return f"{table}, {'.'.join(keys)}" if keys else table


def _nearest(path: tuple[int | str, ...]) -> str:
    *table, key = (part for part in path if isinstance(part, str))
    known = TABLES[tuple(table)] if table else [name for name, *deeper in TABLES if not deeper]
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"
