"""Where a sign-in rests between calls: in memory, or in a file that only its owner can read."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from mapae.client.errors import LoginRequired, Misuse, StoreFailed
from mapae.client.private_file import create_private, own_directory, read_private, write_private
from mapae.client.records import SignIn, Tokens, UnknownFormat, dump, parse
from mapae.secret import Secret

#: Of this turn and the one before, which a process that stalled between reading and sending may still need.
KEPT_ATTEMPTS: Final = 2
POLL_S: Final = 0.01
#: A little more than a refresh of another process may take, so that waiting for it is usually rewarded.
LOCK_DEADLINE_S: Final = 12.0


class Store(Protocol):
    """Keeps one sign-in for the threads and processes that share it. Stores of the same sign-in are equal."""

    def __hash__(self) -> int:
        """The same for equal stores."""

    def read(self) -> SignIn | None:
        """What is kept, None when nobody has signed in."""

    def write(self, sign_in: SignIn) -> None:
        """Keep this from now on, whatever was there. Durable when it returns."""

    def delete(self) -> None:
        """Keep nothing any more."""

    def instance(self, drawn: Secret) -> Secret:
        """The name of this installation: `drawn`, unless one was kept before. It outlives sign-ins."""

    def attempt(self, turn: Secret, drawn: Secret) -> Secret:
        """The attempt value of the turn this refresh token buys: `drawn`, unless one was kept before."""

    def lock(self, deadline_s: float) -> AbstractContextManager[bool]:
        """Held by one at a time. Entered without it after `deadline_s`, and where locks do not work: False."""


class MemoryStore:
    """Shared by the threads of a process and forgotten with it."""

    def __init__(self) -> None:
        self._sign_in: SignIn | None = None
        self._attempts: dict[bytes, Secret] = {}
        self._instance: Secret | None = None
        self._lock = threading.Lock()

    def read(self) -> SignIn | None:
        """What is kept, None when nobody has signed in."""
        return self._sign_in

    def write(self, sign_in: SignIn) -> None:
        """Keep this from now on."""
        self._sign_in = sign_in

    def delete(self) -> None:
        """Keep nothing any more."""
        self._sign_in = None
        self._attempts.clear()

    def instance(self, drawn: Secret) -> Secret:
        """The name of this installation."""
        self._instance = self._instance or drawn
        return self._instance

    def attempt(self, turn: Secret, drawn: Secret) -> Secret:
        """The attempt value of a turn."""
        value = self._attempts.setdefault(turn.digest(), drawn)
        for old in list(self._attempts)[:-KEPT_ATTEMPTS]:
            self._attempts.pop(old, None)
        return value

    @contextmanager
    def lock(self, deadline_s: float) -> Iterator[bool]:
        """Held by one thread at a time."""
        held = self._lock.acquire(timeout=deadline_s)
        try:
            yield held
        finally:
            if held:
                self._lock.release()


class FileStore:
    """A file of mode 0600, replaced in one step; beside it a lock and the attempt values of the last turns.

    Works between processes of one machine. A damaged file is set aside under another name, never emptied.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, FileStore) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.path)

    @classmethod
    def of(cls, issuer: str) -> "FileStore":
        """The store for one issuer in the directory `home()`."""
        host = urlsplit(issuer).hostname or ""
        name = "".join(character if character.isalnum() or character in ".-" else "_" for character in host)
        return cls(home() / f"{name}-{sha256(issuer.encode()).hexdigest()[:12]}.json")

    @property
    def keyring_marker(self) -> Path:
        """Where a `KeyringStore` beside this file remembers its place."""
        return self.path.with_suffix(".place")

    def read(self) -> SignIn | None:
        """What is kept, None when nobody has signed in.

        Raises:
            StoreFailed: it is unsafe, unreadable, of a newer version, or damaged (and was set aside).
        """
        while (raw := read_private(self.path)) is not None:
            try:
                return parse(raw)
            except UnknownFormat as problem:
                raise StoreFailed(f"{self.path} is of a newer mapae ({problem}); upgrade mapae") from None
            except ValueError:
                if (kept := self._set_aside(raw)) is not None:
                    raise StoreFailed(f"{self.path} was damaged and is now {kept}; sign in again") from None
        return None

    def write(self, sign_in: SignIn) -> None:
        """Keep this from now on.

        Raises:
            StoreFailed: it could not be kept.
        """
        write_private(self.path, dump(sign_in))

    def delete(self) -> None:
        """Keep nothing any more.

        Raises:
            StoreFailed: the disk refuses.
        """
        try:
            self.path.unlink(missing_ok=True)
            self.keyring_marker.unlink(missing_ok=True)
            # A process that was killed while it wrote leaves a file that nobody will name any more.
            for left in (*self._attempts(), *self.path.parent.glob(f".{self.path.stem}.*")):
                left.unlink(missing_ok=True)
        except OSError as problem:
            raise StoreFailed(
                f"{self.path} could not be deleted: {problem.strerror}; delete it by hand"
            ) from problem

    def instance(self, drawn: Secret) -> Secret:
        """The name of this installation, the same for every process and every sign-in.

        Raises:
            StoreFailed: it could not be kept, or was damaged.
        """
        return _kept_once(self.path.with_suffix(".instance"), drawn)[0]

    def attempt(self, turn: Secret, drawn: Secret) -> Secret:
        """The attempt value of a turn, the same for every process that asks.

        Raises:
            StoreFailed: it could not be kept, or was damaged.
        """
        path = self.path.with_suffix(f".attempt-{turn.digest().hex()[:16]}")
        value, is_new = _kept_once(path, drawn)
        if is_new:
            self._forget_old_attempts()
        return value

    @contextmanager
    def lock(self, deadline_s: float) -> Iterator[bool]:
        """Held by one process and thread at a time."""
        from filelock import FileLock  # takes 30 ms; a token that is still good needs no lock

        own_directory(self.path.parent)
        lock = FileLock(self.path.with_suffix(".lock"), mode=0o600, poll_interval=POLL_S)
        with suppress(OSError, RuntimeError):
            lock.acquire(timeout=deadline_s)
        try:
            yield lock.is_locked
        finally:
            if lock.is_locked:
                lock.release()

    def _set_aside(self, damaged: bytes) -> Path | None:
        """Where the damaged file is now; None when another process put a whole one in its place meanwhile."""
        try:
            kept = self.path.with_suffix(f".damaged-{self.path.stat().st_mtime_ns}")
            os.replace(self.path, kept)
            if read_private(kept) == damaged:
                return kept
            with suppress(FileExistsError):
                os.link(kept, self.path)
            kept.unlink()
        except FileNotFoundError:
            return None  # another process set it aside
        except OSError as problem:
            raise StoreFailed(f"{self.path} is damaged; move it away, then sign in again") from problem
        return None

    def _attempts(self) -> list[Path]:
        return list(self.path.parent.glob(f"{self.path.stem}.attempt-*"))

    def _forget_old_attempts(self) -> None:
        with suppress(OSError):  # another process tidies up too
            aged = sorted((path.stat().st_mtime_ns, path) for path in self._attempts())
            for _, path in aged[:-KEPT_ATTEMPTS]:
                path.unlink(missing_ok=True)


def _kept_once(path: Path, drawn: Secret) -> tuple[Secret, bool]:
    """What the first process to ask kept there, and whether that was this one."""
    if create_private(path, drawn.reveal().encode()):
        return drawn, True
    kept = read_private(path)
    if not kept:
        raise StoreFailed(f"{path} is empty or gone; delete it, then try again")
    return Secret(kept.decode("ascii", "replace")), False


def home() -> Path:
    """The directory of the file stores: `MAPAE_HOME`, else the user's state directory of the platform."""
    if chosen := os.environ.get("MAPAE_HOME"):
        return Path(chosen)
    from platformdirs import user_state_path

    return user_state_path("mapae")


def living(store: Store, issuer: str) -> tuple[SignIn, Tokens]:
    """The sign-in that a store holds.

    Raises:
        LoginRequired: nobody is signed in, or the session has ended.
        StoreFailed: the store cannot be read.
        Misuse: it is the store of another issuer.
    """
    sign_in = store.read()
    if sign_in is None or sign_in.tokens is None:
        raise LoginRequired(issuer, (sign_in and sign_in.ended) or "not_signed_in")
    if sign_in.issuer != issuer:
        raise Misuse(f"this store holds a sign-in to {sign_in.issuer}, not to {issuer}")
    return sign_in, sign_in.tokens


def kept_store(issuer: str) -> Store:
    """Where the last sign-in to an issuer went: the keyring, if it was asked for, else the file."""
    return store_behind(FileStore.of(issuer))


def store_behind(file: FileStore) -> Store:
    """Where the sign-in that this file is for rests: the keyring, if it was asked for, else the file."""
    if not file.keyring_marker.exists():
        return file
    from mapae.client.keyring_store import KeyringStore

    return KeyringStore(file)


def found_store(issuer: str) -> Store:
    """Where a token comes from when nothing else is said: `MAPAE_TOKEN`, else `kept_store`."""
    if "MAPAE_TOKEN" in os.environ:
        from mapae.client.environment_store import EnvironmentStore

        if (given := EnvironmentStore.of(issuer)) is not None:
            return given
    return kept_store(issuer)
