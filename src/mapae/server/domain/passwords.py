"""User names and passwords: prepared for comparison, or refused.

Both are PRECIS strings (RFC 8264), so that what looks the same on two keyboards is the same here.
Characters that Python's Unicode tables do not know are refused: 3.11 knows Unicode 14, later versions more.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from precis_i18n import get_profile
from precis_i18n.profile import Profile

from mapae.secret import Secret

#: The most characters (code points) of a prepared password. Longer ones are refused, never cut.
MAX_PASSWORD_LENGTH: Final = 1024

#: The fewest characters of a new password: OWASP ASVS 5.0, 6.2.1. NIST SP 800-63B-4 asks for 15 where the
#: password is the only factor; here the limits on attempts bound guessing online.
MIN_PASSWORD_LENGTH: Final = 8

#: The most characters of a user name; an e-mail address has at most 254 (RFC 5321).
MAX_USERNAME_LENGTH: Final = 255

#: The most that one Argon2id hash may cost, ours or one from a set-up file: 256 MiB, 16 passes, 16 lanes.
MAX_MEMORY_KIB: Final = 256 * 1024
MAX_TIME_COST: Final = 16
MAX_PARALLELISM: Final = 16

# Normalising costs time before the length is known; no composition makes more than four characters into one.
_MAX_RAW_FACTOR: Final = 4
_OPAQUE: Final = get_profile("OpaqueString")
_USERNAME: Final = get_profile("UsernameCasePreserved")


class CredentialFault(StrEnum):
    """Why a user name or a password cannot be one. The words are stable."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    FORBIDDEN_CHARACTER = "forbidden_character"


class CredentialRefused(Exception):
    """A user name or password that no user can have. Never holds the text itself."""

    def __init__(self, code: CredentialFault) -> None:
        super().__init__(code.value)
        self.code: Final = code


@dataclass(frozen=True, slots=True)
class PreparedPassword:
    """A password in the form that is hashed. Made by `prepare_password` and `prepare_new_password` only."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Username:
    """A user name. Two are the same user's when their keys are equal."""

    display: str
    key: str


def prepare_password(password: Secret) -> PreparedPassword:
    """The form of a presented password that is compared.

    Raises:
        CredentialRefused: EMPTY, TOO_LONG or FORBIDDEN_CHARACTER (a control or unassigned character).

    Implements: RFC 8265 section 4.2, OpaqueString.
    """
    return PreparedPassword(Secret(_prepare(_OPAQUE, password.reveal(), MAX_PASSWORD_LENGTH)))


def prepare_new_password(password: Secret) -> PreparedPassword:
    """As `prepare_password`, for a password that somebody chooses.

    Raises:
        CredentialRefused: also TOO_SHORT.

    Does not check: that it is in no list of leaked passwords.
    """
    prepared = prepare_password(password)
    if len(prepared.secret) < MIN_PASSWORD_LENGTH:
        raise CredentialRefused(CredentialFault.TOO_SHORT)
    return prepared


def parse_username(text: str) -> Username:
    """The user name that `text` spells, in any width, case and normalisation form.

    Raises:
        CredentialRefused: EMPTY, TOO_LONG or FORBIDDEN_CHARACTER (spaces, controls, symbols outside ASCII,
            compatibility characters, mixed directions).

    Implements: RFC 8265 section 3.4, UsernameCasePreserved; the key is Unicode's NFKC case folding of it.
    """
    display = _prepare(_USERNAME, text, MAX_USERNAME_LENGTH)
    folded = unicodedata.normalize("NFKC", display).casefold()
    return Username(display, unicodedata.normalize("NFKC", folded))


def _prepare(profile: Profile, text: str, max_length: int) -> str:
    if not text:
        raise CredentialRefused(CredentialFault.EMPTY)
    if len(text) > _MAX_RAW_FACTOR * max_length:
        raise CredentialRefused(CredentialFault.TOO_LONG)
    prepared = text if _is_prepared(profile, text) else _enforced(profile, text)
    if prepared is None:
        raise CredentialRefused(CredentialFault.FORBIDDEN_CHARACTER)
    if len(prepared) > max_length:
        raise CredentialRefused(CredentialFault.TOO_LONG)
    return prepared


def _is_prepared(profile: Profile, text: str) -> bool:
    """Whether no rule of RFC 8264 can change or refuse it: visible ASCII, in passwords with spaces."""
    return text.isascii() and text.isprintable() and (profile is _OPAQUE or " " not in text)


def _enforced(profile: Profile, text: str) -> str | None:
    try:
        return profile.enforce(text)
    except UnicodeEncodeError:  # holds the text, so it must not become the context of another exception
        return None
