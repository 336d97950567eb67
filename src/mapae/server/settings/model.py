"""Every setting: type, default, unit, text."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from mapae.secret import Secret
from mapae.server.domain.keys import SEEN_S
from mapae.server.domain.passwords import MAX_MEMORY_KIB, MAX_PARALLELISM, MAX_TIME_COST
from mapae.server.settings import values
from mapae.server.settings.values import Network

#: What the variable of every setting begins with.
PREFIX: Final = "MAPAE_"


@dataclass(frozen=True, slots=True)
class Expects:
    """In the annotation of a setting: what a right value looks like, for documentation and error lines."""

    text: str


Whole = Annotated[int, BeforeValidator(values.whole_number)]
Switch = Annotated[bool, BeforeValidator(values.switch), Expects("true or false")]
PemFile = Annotated[Path | None, BeforeValidator(values.readable_file), Expects("path of a PEM file")]
LibraryFile = Annotated[
    Path | None, BeforeValidator(values.readable_file), Expects("path of a shared library")
]
Label = Annotated[str | None, BeforeValidator(values.text), Expects("text")]
Pin = Annotated[Secret | None, BeforeValidator(values.secret), Expects("text")]
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(values.networks),
    Expects("addresses or CIDR networks, separated by commas"),
]
HostsOrNetworks = Annotated[
    tuple[Network | str, ...],
    BeforeValidator(values.hosts_or_networks),
    Expects("host names, addresses or CIDR networks, separated by commas"),
]
Issuer = Annotated[
    str,
    BeforeValidator(values.issuer),
    Expects("https URL without query, fragment or final slash; http for this machine only"),
]
DatabaseUrl = Annotated[
    Secret,
    BeforeValidator(values.database_url),
    Expects("sqlite:///path or postgresql://user:password@host:port/database"),
]
SecretKey = Annotated[
    Secret,
    BeforeValidator(values.secret_key),
    Expects("32 random bytes or more in base64url without padding"),
]
SecretKeys = Annotated[
    tuple[Secret, ...],
    BeforeValidator(values.secret_keys),
    Expects("secret keys, separated by commas"),
]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["json", "human"]


def _setting(
    default: Any,
    text: str,
    *,
    low: int | None = None,
    high: int | None = None,
    unit: str = "",
    shown: str = "",
) -> Any:  # what pydantic's Field returns
    extra: JsonDict = {"unit": unit, "shown": shown}
    if callable(default):
        return Field(default_factory=default, description=text, ge=low, le=high, json_schema_extra=extra)
    return Field(default=default, description=text, ge=low, le=high, json_schema_extra=extra)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _default_idle(given: Mapping[str, Any]) -> int:
    return min(604800, int(given.get("session_life", 604800)))


def _default_format(given: Mapping[str, Any]) -> LogFormat:
    return "human" if given.get("dev") else "json"


# The order matters: a check that compares two settings stands with the later one.
class Settings(BaseModel):
    """What the operator decided: made once at start by `load_settings`, handed to whoever needs it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )

    dev: Switch = _setting(
        False, "Short-cuts for one machine, as `mapae serve --dev` sets them. Never on a public host."
    )
    issuer: Issuer = _setting(
        ...,
        "Issuer identifier (RFC 8414), which is also the public base URL.",
        shown="http://localhost:8000 with --dev; required otherwise",
    )
    database_url: DatabaseUrl = _setting(
        ...,
        "Where everything is kept. A secret, because it may hold a password.",
        shown="sqlite:///var/mapae.db",
    )
    database_pool: Whole = _setting(10, "Connections to PostgreSQL of each worker.", low=1, high=200)
    secret_key: SecretKey = _setting(
        ...,
        "Seals the private keys, those of refresh tokens among them. Losing it ends every session.",
        shown="made and kept in var/secret_key with --dev; required otherwise",
    )
    secret_key_old: SecretKeys = _setting(
        (), "Former secret keys, which still open what was sealed under them.", shown="none"
    )
    tls_cert: PemFile = _setting(None, "Certificate chain, to serve HTTPS without a proxy.")
    tls_key: PemFile = _setting(None, "Private key of `MAPAE_TLS_CERT`; the two are set together.")
    trusted_proxies: Networks = _setting(
        (), "Proxies whose `Forwarded` and `X-Forwarded-*` headers are believed.", shown="none"
    )
    access_token_life: Whole = _setting(
        300, "How long an access token is good for.", low=1, high=3600, unit="seconds"
    )
    session_life: Whole = _setting(
        2592000, "Absolute end of a session, from its sign-in.", low=1, high=315360000, unit="seconds"
    )
    session_idle: Whole = _setting(
        _default_idle,
        "A session that was not used for so long ends. At most `MAPAE_SESSION_LIFE`.",
        low=1,
        high=315360000,
        unit="seconds",
        shown="604800, or the session life when that is shorter",
    )
    sessions_per_user: Whole = _setting(
        500, "Live sessions a user may have; one more ends the oldest.", low=1, high=100000
    )
    session_retention: Whole = _setting(
        2592000,
        "How long a session that is over is kept, to say why it ended.",
        low=0,
        high=315360000,
        unit="seconds",
    )
    audit_retention: Whole = _setting(
        31536000, "How long audit events are kept.", low=86400, high=3153600000, unit="seconds"
    )
    refresh_grace: Whole = _setting(
        10,
        "How long the previous refresh token still gets the same answer, for lost answers and second tabs.",
        low=0,
        high=60,
        unit="seconds",
    )
    jwks_life: Whole = _setting(
        300, "How long others may keep the public keys.", low=1, high=86400, unit="seconds"
    )
    key_margin: Whole = _setting(
        120,
        "How much longer than the public keys may be kept a key is published before it signs, and than tokens live"
        " after it has. Covers clocks that differ, and leeway.",
        low=SEEN_S,
        high=86400,
        unit="seconds",
    )
    key_rotation: Whole = _setting(
        2592000,
        "How long a key signs. At least `MAPAE_JWKS_LIFE` and `MAPAE_KEY_MARGIN` together.",
        low=1 + SEEN_S,
        high=315360000,
        unit="seconds",
    )
    pkcs11_module: LibraryFile = _setting(
        None, "PKCS#11 library of a hardware module that makes and has the signing keys from now on."
    )
    pkcs11_token: Label = _setting(None, "Label of the module's token. Goes with `MAPAE_PKCS11_MODULE`.")
    pkcs11_pin: Pin = _setting(None, "PIN of the token's user. Goes with `MAPAE_PKCS11_MODULE`.")
    outbound_allow: HostsOrNetworks = _setting(
        (), "Private hosts and networks that our own fetches may reach all the same.", shown="none"
    )
    outbound_ca_file: PemFile = _setting(
        None, "Certificate authorities that our own fetches trust besides the system's."
    )
    argon2_time_cost: Whole = _setting(2, "Passes of Argon2id over its memory.", low=1, high=MAX_TIME_COST)
    argon2_parallelism: Whole = _setting(1, "Lanes of Argon2id.", low=1, high=MAX_PARALLELISM)
    argon2_memory_kib: Whole = _setting(
        19456, "Memory of one Argon2id hash.", low=8, high=MAX_MEMORY_KIB, unit="KiB"
    )
    hashing_threads: Whole = _setting(
        _cores, "Passwords a worker hashes at the same time.", low=1, high=256, shown="number of cores"
    )
    hashing_queue: Whole = _setting(
        64,
        "Passwords that wait for a hashing thread of a worker; further ones are turned away with 503.",
        low=0,
        high=10000,
    )
    log_level: LogLevel = _setting("info", "The least important lines that are written.")
    log_format: LogFormat = _setting(
        _default_format,
        "One JSON object a line, or lines for people.",
        shown="human with --dev, json otherwise",
    )
    metrics: Switch = _setting(False, "Answer /metrics to everyone who can reach the server.")
    drain: Whole = _setting(
        10, "How long a worker that shuts down lets its requests finish.", low=0, high=600, unit="seconds"
    )

    @field_validator("tls_key")
    @classmethod
    def _certificate_and_key_come_together(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_cert" in info.data and (value is None) != (info.data["tls_cert"] is None):
            raise ValueError("and MAPAE_TLS_CERT are set together or not at all")
        return value

    @field_validator("session_idle")
    @classmethod
    def _idle_ends_before_life(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("session_life", value):
            raise ValueError("is longer than MAPAE_SESSION_LIFE")
        return value

    @field_validator("key_rotation")
    @classmethod
    def _keys_are_published_before_they_sign(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("jwks_life", 0) + info.data.get("key_margin", 0):
            raise ValueError("is shorter than MAPAE_JWKS_LIFE and MAPAE_KEY_MARGIN together")
        # Verifiers take key sets of 64 keys: four algorithms, with room to spare.
        if value * 8 < info.data.get("access_token_life", 0):
            raise ValueError("is less than an eighth of MAPAE_ACCESS_TOKEN_LIFE")
        return value

    @field_validator("pkcs11_pin")
    @classmethod
    def _a_module_comes_with_token_and_pin(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        given = [info.data.get("pkcs11_module"), info.data.get("pkcs11_token"), value]
        if any(item is not None for item in given) and None in given:
            raise ValueError("goes with MAPAE_PKCS11_MODULE and MAPAE_PKCS11_TOKEN, all three or none")
        return value

    @field_validator("argon2_memory_kib")
    @classmethod
    def _hash_is_worth_its_name(cls, value: int, info: ValidationInfo) -> int:
        lanes, passes = info.data.get("argon2_parallelism", 1), info.data.get("argon2_time_cost")
        # RFC 9106 section 3.1: at least 8 KiB a lane.
        if value < 8 * lanes:
            raise ValueError("is less than 8 KiB for each lane of MAPAE_ARGON2_PARALLELISM")
        # The weakest pair of OWASP's Password Storage Cheat Sheet is 7 MiB and 5 passes.
        if passes and not info.data.get("dev") and (value < 7168 or value * passes < 5 * 7168):
            raise ValueError("makes hashes weaker than 7168 KiB with 5 passes (or 19456 with 2)")
        return value


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as the documentation and `mapae config check` show it."""

    name: str
    variable: str
    expects: str
    default: str
    unit: str
    text: str


def describe() -> tuple[Row, ...]:
    """A row for each setting, in the order of `Settings`."""
    return tuple(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> Row:
    extra = cast("dict[str, str]", field.json_schema_extra)
    default = "unset" if field.default is None else str(field.default)
    return Row(
        name=name,
        variable=PREFIX + name.upper(),
        expects=_expects(field),
        default=extra["shown"] or default.lower(),
        unit=extra["unit"],
        text=field.description or "",
    )


def _expects(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    bounds: list[object] = []
    for item in field.metadata:
        match item:
            case Expects(text):
                return text
            case Ge(bound) | Le(bound):
                bounds.append(bound)
    return "whole number from {} to {}".format(*bounds)
