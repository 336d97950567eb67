"""Checks of what is kept on this device: rights, damage, sessions, whether writing and locking work."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from mapae.cli.doctor.finding import Finding, fail, ok, warn
from mapae.cli.errors import ExitCode
from mapae.cli.moments import span
from mapae.client.errors import StoreFailed
from mapae.client.keyring_store import KeyringStore
from mapae.client.private_file import own_directory, read_private, write_private
from mapae.client.records import SignIn, UnknownFormat, parse
from mapae.client.store import FileStore

#: A file under a temporary name is given its own within this time, or its writer has died.
WRITTEN_WITHIN_S: Final = 60


def store_findings(directory: Path, now: float) -> Iterator[Finding]:
    """Look through the directory of the file stores."""
    about = str(directory)
    if not directory.is_dir():
        yield ok(about, "nothing is kept yet; to sign in: mapae login URL")
        return
    try:
        own_directory(directory)
        paths = sorted(directory.iterdir())
    except (StoreFailed, OSError) as problem:
        yield fail(about, str(problem), ExitCode.LOCAL_STORE)
        return
    yield _writable(directory)
    yield _lockable(directory)
    for path in paths:
        yield from _file_findings(path, now)


def kept_sign_ins(directory: Path) -> Iterator[SignIn]:
    """Those that can be read; unlike `FileStore.read` this leaves a damaged file where it is."""
    for path in sorted(directory.glob("*.json")):
        with suppress(StoreFailed, ValueError):
            yield parse(read_private(path) or b"")
    for path in sorted(directory.glob("*.place")):
        with suppress(StoreFailed):
            if (sign_in := _kept_in_keyring(path)) is not None:
                yield sign_in


def _writable(directory: Path) -> Finding:
    trial = directory / f".doctor-{os.getpid()}"
    try:
        write_private(trial, b"mapae doctor\n")
        trial.unlink()
    except (StoreFailed, OSError) as problem:
        return fail(str(directory), f"cannot be written: {problem}", ExitCode.LOCAL_STORE)
    return ok(str(directory), "is yours alone, and can be written")


def _lockable(directory: Path) -> Finding:
    about, path = str(directory), directory / f".doctor-{os.getpid()}.lock"
    try:
        with FileLock(path, mode=0o600, timeout=0):
            try:
                with FileLock(path, mode=0o600, timeout=0):
                    return warn(
                        about, "locks keep nobody out on this file system; move MAPAE_HOME to a local disk"
                    )
            except Timeout:
                return ok(about, "locks work")
    except (OSError, RuntimeError) as problem:
        return warn(about, f"locks do not work ({problem}); move MAPAE_HOME to a local disk")
    finally:
        path.unlink(missing_ok=True)


def _file_findings(path: Path, now: float) -> Iterator[Finding]:
    about = path.name
    try:
        raw = read_private(path)
        age_s = now - path.stat().st_mtime
    except FileNotFoundError:  # another process tidied up
        return
    except StoreFailed as problem:
        yield fail(about, str(problem), ExitCode.LOCAL_STORE)
        return
    if path.suffix == ".json":
        yield _stored(about, raw or b"", now)
    elif path.suffix == ".place":
        yield from _in_keyring(about, path, now)
    elif path.suffix.startswith(".damaged-"):
        yield warn(
            about, "was damaged and set aside, and may hold tokens; when it is of no use any more, delete it"
        )
    elif path.name.startswith(".") and age_s > WRITTEN_WITHIN_S:
        yield warn(about, "was left by a process that died, and may hold tokens; delete it")


def _stored(about: str, raw: bytes, now: float) -> Finding:
    try:
        return _sign_in(about, parse(raw), now)
    except UnknownFormat as problem:
        return fail(about, f"is of a newer mapae ({problem}); upgrade mapae", ExitCode.LOCAL_STORE)
    except ValueError:
        return fail(about, "is damaged; delete it, then sign in again", ExitCode.LOCAL_STORE)


def _in_keyring(about: str, path: Path, now: float) -> Iterator[Finding]:
    try:
        sign_in = _kept_in_keyring(path)
    except StoreFailed as problem:
        yield fail(about, str(problem), ExitCode.LOCAL_STORE)
    else:
        if sign_in is not None:
            yield _sign_in(about, sign_in, now)


def _kept_in_keyring(path: Path) -> SignIn | None:
    """What the keyring holds for the store that is noted there; None when its tokens are in the file."""
    store = KeyringStore(FileStore(path.with_suffix(".json")))
    return store.read() if store.place == "keyring" else None


def _sign_in(about: str, sign_in: SignIn, now: float) -> Finding:
    who = f"{sign_in.username} at {sign_in.issuer}"
    if sign_in.tokens is None:
        reason = (sign_in.ended or "").replace("_", " ")
        return warn(about, f"{who}: the session ended ({reason}); run: mapae login {sign_in.issuer}")
    if sign_in.tokens.refresh_expires_at is None:
        return ok(about, f"{who}: the server does not tell when the session ends")
    left = sign_in.tokens.refresh_expires_at - sign_in.tokens.skew_s - now
    if left <= 0:
        return warn(about, f"{who}: the session is over; run: mapae login {sign_in.issuer}")
    return ok(about, f"{who}: the session has {span(left)} left")
