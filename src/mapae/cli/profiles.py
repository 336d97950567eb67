"""Profiles: the sign-ins of this device, and which of them is meant when none is named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.client.errors import Misuse
from mapae.client.origin import issuer_url
from mapae.client.private_file import read_private, write_private
from mapae.client.records import SignIn
from mapae.client.store import FileStore, Store, home, store_behind

if TYPE_CHECKING:
    from mapae.client.keyring_store import KeyringStore

#: In lower case, because some file systems do not tell cases apart.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Profile:
    """One sign-in on this device.

    Attributes:
        issuer: URL of the server.
        name: what the user calls it; None for the one that goes by the URL of its server.
    """

    issuer: str
    name: str | None = None

    @property
    def label(self) -> str:
        """What a user types to mean it."""
        return self.name or self.issuer

    def file(self) -> FileStore:
        """Where its tokens rest, or where the keyring that holds them is noted: a name has a file of its own."""
        file = FileStore.of(self.issuer)
        if self.name is None:
            return file
        return FileStore(file.path.with_name(f"{self.name}@{file.path.name}"))

    def store(self) -> Store:
        """Where its tokens rest."""
        return store_behind(self.file())

    def keyring(self) -> KeyringStore:
        """Where its tokens may rest as well: the keyring of the system, or the file where none works."""
        from mapae.client.keyring_store import KeyringStore  # seldom needed

        return KeyringStore(self.file())


def profile_name(text: str) -> str:
    """A name that a profile may have.

    Raises:
        Misuse: it is none.
    """
    if not _NAME.fullmatch(text):
        raise Misuse(
            f"no name of a profile: {text!r}; use up to 32 of a-z 0-9 . _ - (or the URL of a server)"
        )
    return text


def labelled(label: str) -> Profile:
    """The profile of that name, or the unnamed one of the server at that URL, whether somebody is signed in or not.

    Raises:
        CommandFailed: there is no profile of that name.
        Misuse: it is neither a name nor a URL a token may be sent to.
        StoreFailed: its file cannot be read.
    """
    if "://" in label:
        return Profile(issuer_url(label))
    for profile, _ in named(profile_name(label)):
        return profile
    raise CommandFailed(
        f"there is no profile {label}; run: mapae login URL --profile {label}", ExitCode.SIGN_IN_NEEDED
    )


def current_label() -> str | None:
    """What `MAPAE_PROFILE` says, else who signed in last or was switched to; None when nobody was.

    Raises:
        StoreFailed: the note of it cannot be read.
    """
    if given := os.environ.get("MAPAE_PROFILE"):
        return given
    raw = read_private(_note())
    return raw.decode(errors="replace").strip() if raw else None


def make_current(profile: Profile) -> None:
    """Let this be meant from now on when none is named.

    Raises:
        StoreFailed: it could not be noted.
    """
    write_private(_note(), profile.label.encode() + b"\n")


def chosen(issuer: str | None, name: str | None) -> Profile:
    """The profile that options name, else the current one.

    Raises:
        CommandFailed: both are named, or nobody ever signed in.
        Misuse, StoreFailed: as `labelled`.
    """
    if issuer and name:
        raise CommandFailed("--issuer and --profile exclude each other; give one", ExitCode.USAGE)
    if issuer:
        return Profile(issuer_url(issuer))
    label = profile_name(name) if name else current_label()
    if label is None:
        raise CommandFailed("nobody is signed in; run: mapae login URL", ExitCode.SIGN_IN_NEEDED)
    return labelled(label)


def named(name: str) -> list[tuple[Profile, SignIn]]:
    """The sign-ins under a name: one, unless another process signs in under it this very moment.

    Raises:
        StoreFailed: its file cannot be read.
    """
    return [pair for path in _files(f"{name}@*") for pair in _kept_in(path)]


def sign_ins() -> list[tuple[Profile, SignIn]]:
    """Every sign-in of this device, ended ones too, by label.

    Raises:
        StoreFailed: one of them cannot be read.
    """
    kept = [pair for path in _files("*") for pair in _kept_in(path)]
    return sorted(kept, key=lambda pair: pair[0].label)


def _files(pattern: str) -> set[Path]:
    """The paths of the file stores whose stem is like this, also of those whose tokens are in the keyring."""
    found = (path for suffix in (".json", ".place") for path in home().glob(pattern + suffix))
    return {path.with_suffix(".json") for path in found}


def _kept_in(path: Path) -> Iterator[tuple[Profile, SignIn]]:
    sign_in = store_behind(FileStore(path)).read()
    if sign_in is not None:
        name, at, _ = path.name.partition("@")
        yield Profile(sign_in.issuer, name if at else None), sign_in


def _note() -> Path:
    return home() / "current"
