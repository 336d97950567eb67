"""Where the settings come from, and everything that can be wrong with them.

A value comes from the first of: the variable `MAPAE_NAME`, the file that `MAPAE_NAME_FILE` names (without one
newline at its end), the key `name` of mapae.toml, the default.
"""

import contextlib
import difflib
import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mapae.entropy import Entropy, system_entropy
from mapae.jose import base64url
from mapae.server.settings.model import PREFIX, Settings, describe
from mapae.server.settings.values import switch

#: Names with our prefix that are not the server's: the command line client's and the test suite's.
CLIENT_NAMES: Final = frozenset({"MAPAE_TOKEN", "MAPAE_HOME", "MAPAE_PROFILE", "MAPAE_TEST_POSTGRES_URL"})

#: Names the file to read in place of ./mapae.toml.
CONFIG_NAME: Final = "MAPAE_CONFIG"


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds them all, one line each, without any secret value."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems: Final = problems


def load_settings(
    environ: Mapping[str, str],
    *,
    toml_path: Path | None = None,
    dev: bool = False,
    var: Path = Path("var"),
    entropy: Entropy = system_entropy,
) -> Settings:
    """The settings that `environ` and mapae.toml make.

    Args:
        toml_path: the file to read in place of the one MAPAE_CONFIG names, or ./mapae.toml.
        dev: as if MAPAE_DEV were true.
        var: folder of the default database and, with dev, of the secret key, made when there is none.
        entropy: makes that key.
    Raises:
        SettingsError: with every problem that was found, not only the first.
    """
    return load_with_sources(environ, toml_path=toml_path, dev=dev, var=var, entropy=entropy)[0]


def load_with_sources(
    environ: Mapping[str, str],
    *,
    toml_path: Path | None = None,
    dev: bool = False,
    var: Path = Path("var"),
    entropy: Entropy = system_entropy,
) -> tuple[Settings, Mapping[str, str]]:
    """As `load_settings`, and the source of each setting: a variable, a file or "default"."""
    found = _Found()
    _read_toml(found, environ, toml_path)
    _read_environment(found, environ)
    if dev:
        found.values["dev"] = (True, "--dev")
    _add_defaults(found, var, entropy)
    try:
        settings = Settings.model_validate({name: value for name, (value, _) in found.values.items()})
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            if problem["type"] != "default_factory_not_called":  # a consequence of another problem
                found.refuse(str(problem["loc"][0]), _what_is_wrong(problem))
    if found.problems:
        raise SettingsError(tuple(found.problems.values()))
    sources = {
        name: found.values[name][1] if name in found.values else "default" for name in Settings.model_fields
    }
    return settings, sources


@dataclass(frozen=True, slots=True)
class _Found:
    """By setting, its value and source; by setting or unknown name, the first thing wrong with it."""

    values: dict[str, tuple[object, str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def refuse(self, name: str, what: str) -> None:
        source = self.values[name][1] if name in self.values else _variable(name)
        origin = "" if source == _variable(name) else f" (from {source})"
        self.problems.setdefault(name, f"{_variable(name)}{origin} {what}: give {_EXPECTED[name]}.")


_EXPECTED: Final = {row.name: row.expects for row in describe()}
_VARIABLES: Final = {row.variable: row.name for row in describe()}
_FILE_VARIABLES: Final = {f"{variable}_FILE": name for variable, name in _VARIABLES.items()}


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _read_toml(found: _Found, environ: Mapping[str, str], toml_path: Path | None) -> None:
    path = toml_path or Path(environ.get(CONFIG_NAME, "mapae.toml"))
    if toml_path is None and CONFIG_NAME not in environ and not path.exists():
        return
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        found.problems[str(path)] = (
            f"{path} cannot be read ({error.strerror}): correct the path or its permissions."
        )
    except ValueError as error:  # TOML and UTF-8 errors tell the place, not the content
        found.problems[str(path)] = f"{path} is not TOML: {error}."
    else:
        for key, value in table.items():
            if key in _EXPECTED:
                found.values[key] = (value, str(path))
            else:
                found.problems[key] = f"{path}: there is no setting {key}{_nearest(key, _EXPECTED)}"


def _read_environment(found: _Found, environ: Mapping[str, str]) -> None:
    for variable in sorted(environ.keys() - CLIENT_NAMES - {CONFIG_NAME}):
        if variable in _VARIABLES:
            found.values[_VARIABLES[variable]] = (environ[variable], variable)
        elif variable in _FILE_VARIABLES:
            _read_value_file(found, environ, variable)
        elif variable.startswith(PREFIX):
            known = [*_VARIABLES, *_FILE_VARIABLES, CONFIG_NAME]
            found.problems[variable] = f"{variable} is no setting{_nearest(variable, known)}"


def _read_value_file(found: _Found, environ: Mapping[str, str], variable: str) -> None:
    name = _FILE_VARIABLES[variable]
    if _variable(name) in environ:
        found.problems[name] = f"{_variable(name)} and {variable} are both set: remove one of them."
        return
    try:
        text = Path(environ[variable]).read_text("utf-8")
    except (OSError, ValueError):
        found.problems[name] = (
            f"{variable} does not name a text file this process can read: correct the path."
        )
    else:
        found.values[name] = (text.removesuffix("\n"), variable)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f": did you mean {near[0]}?" if near else ": remove it."


def _add_defaults(found: _Found, var: Path, entropy: Entropy) -> None:
    """The defaults that depend on `var` or on the development switch."""
    found.values.setdefault("database_url", (f"sqlite:///{var / 'mapae.db'}", "default"))
    if not _is_development(found):
        return
    found.values.setdefault("issuer", ("http://localhost:8000", "default"))
    if "secret_key" in found.values or "secret_key" in found.problems:
        return
    path = var / "secret_key"
    try:
        found.values["secret_key"] = (_kept_key(path, entropy), str(path))
    except (OSError, ValueError) as error:
        found.problems["secret_key"] = (
            f"{path} cannot be made or read ({type(error).__name__}): see to its folder."
        )


def _is_development(found: _Found) -> bool:
    try:
        return "dev" in found.values and switch(found.values["dev"][0])
    except ValueError:  # said again, to the operator, when all settings are checked
        return False


def _kept_key(path: Path, entropy: Entropy) -> str:
    """The key kept at `path`; of several processes that start together one makes it, none sees half."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("ascii").removesuffix("\n")
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # O_EXCL, 0600
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(base64url.encode(entropy(32)) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    return path.read_text("ascii").removesuffix("\n")


def _what_is_wrong(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "missing":
            return "is required"
        case "value_error":
            return str(problem["ctx"]["error"])
        case _:
            return "is out of range"
