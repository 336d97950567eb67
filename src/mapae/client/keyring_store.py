"""A sign-in in the keyring of the operating system, or in a file where the keyring cannot be used."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from mapae.client.errors import StoreFailed
from mapae.client.private_file import read_private, write_private
from mapae.client.records import SignIn, UnknownFormat, dump, parse

if TYPE_CHECKING:
    from mapae.client.store import FileStore
    from mapae.secret import Secret

#: A keyring may be waiting for a person to unlock it, or for a bus that nobody serves.
PATIENCE_S: Final = 3.0
SERVICE: Final = "mapae"

Outcome = TypeVar("Outcome")


class KeyringStore:
    """Tokens in the keyring; lock, attempt values and the name of the installation beside the file store's.

    A keyring that fails, or does not answer within 3 s, when tokens are to be kept is not asked again until
    `delete`: they go into the file. When it fails later, that is an error: what it holds is not given up.

    Args:
        file: where the tokens go without a keyring.
    """

    def __init__(self, file: "FileStore") -> None:
        self._file: Final = file
        self._where: Final = file.keyring_marker

    def __eq__(self, other: object) -> bool:
        return self._file == other._file if isinstance(other, KeyringStore) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._file)

    @property
    def place(self) -> Literal["keyring", "file"] | None:
        """Where the tokens are; None when nobody has signed in."""
        match read_private(self._where):
            case b"keyring":
                return "keyring"
            case b"file":
                return "file"
        return None

    def read(self) -> SignIn | None:
        """What is kept, None when nobody has signed in.

        Raises:
            StoreFailed: the keyring cannot be asked, or what it holds is damaged (and was set aside).
        """
        if self.place != "keyring":
            return self._file.read()
        try:
            kept = _guarded(lambda keyring: keyring.get_password(SERVICE, self._name))
        except _KeyringFailed as problem:
            raise StoreFailed(f"{problem}; unlock it, or sign out and in again to use a file") from problem
        if kept is None:
            return None
        try:
            return parse(kept.encode())
        except UnknownFormat as problem:
            raise StoreFailed(
                f"the keyring holds tokens of a newer mapae ({problem}); upgrade mapae"
            ) from None
        except ValueError:
            aside = self._file.path.with_suffix(".damaged-keyring")
            write_private(aside, kept.encode())
            self._erase()
            raise StoreFailed(f"the keyring held damaged tokens, now in {aside}; sign in again") from None

    def write(self, sign_in: SignIn) -> None:
        """Keep this from now on.

        Raises:
            StoreFailed: neither the keyring nor the file could keep it.
        """
        if self.place != "file":
            record = dump(sign_in).decode()
            with suppress(_KeyringFailed):
                _guarded(lambda keyring: keyring.set_password(SERVICE, self._name, record))
                self._remember("keyring")
                return
        # The file first: until the marker says so, nobody looks there.
        self._file.write(sign_in)
        self._remember("file")

    def delete(self) -> None:
        """Keep nothing any more, and try the keyring again next time.

        Raises:
            StoreFailed: the keyring or the disk refuses.
        """
        try:
            if self.place == "keyring":
                self._erase()
        except _KeyringFailed as problem:
            raise StoreFailed(f"{problem}; delete the entry {self._name!r} of {SERVICE} by hand") from problem
        finally:
            self._file.delete()

    def instance(self, drawn: "Secret") -> "Secret":
        """The name of this installation."""
        return self._file.instance(drawn)

    def attempt(self, turn: "Secret", drawn: "Secret") -> "Secret":
        """The attempt value of a turn."""
        return self._file.attempt(turn, drawn)

    def lock(self, deadline_s: float) -> AbstractContextManager[bool]:
        """Held by one process and thread at a time."""
        return self._file.lock(deadline_s)

    @property
    def _name(self) -> str:
        return self._file.path.stem

    def _remember(self, place: Literal["keyring", "file"]) -> None:
        if self.place != place:
            write_private(self._where, place.encode())

    def _erase(self) -> None:
        _guarded(lambda keyring: _delete(keyring, self._name))


class _KeyringFailed(Exception):
    """The keyring did not do what it was asked to."""


def _delete(keyring: Any, name: str) -> None:
    # Some back ends fail on an entry that is not there.
    if keyring.get_password(SERVICE, name) is not None:
        keyring.delete_password(SERVICE, name)


def _guarded(ask: Callable[[Any], Outcome]) -> Outcome:
    """What the keyring says, in a thread that is left behind when it takes too long."""
    outcome: list[Outcome] = []
    problems: list[Exception] = []

    def run() -> None:
        try:
            import keyring

            outcome.append(ask(keyring))
        except Exception as problem:  # noqa: BLE001 - back ends raise what they like
            problems.append(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    for problem in problems:
        reason = str(problem) or type(problem).__name__
        raise _KeyringFailed(f"the keyring failed: {reason}") from problem
    for found in outcome:
        return found
    raise _KeyringFailed(f"the keyring did not answer within {PATIENCE_S:g} s")
