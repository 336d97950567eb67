"""A keyring that works, fails, hangs, or holds damage: nobody hangs, and nothing is lost in silence."""

import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from mapae.client import FileStore, MemoryStore, Session, StoreFailed
from mapae.client import keyring_store as room
from mapae.client.keyring_store import KeyringStore
from mapae.client.store import kept_store
from tests.client.test_store import ISSUER, OAUTH_SIGN_IN, SIGN_IN
from tests.client.wire import auth_server


class Keyring(KeyringBackend):
    """A back end in memory, which fails or hangs when told to."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.fails = False
        self.hangs = False
        self.over = threading.Event()

    def _trouble(self) -> None:
        if self.fails:
            raise KeyringError("locked")
        if self.hangs:
            self.over.wait(60)

    def get_password(self, service: str, username: str) -> str | None:
        self._trouble()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._trouble()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._trouble()
        del self.kept[service, username]


@pytest.fixture
def backend() -> Iterator[Keyring]:
    """The keyring of this process for one test."""
    before, ours = keyring.get_keyring(), Keyring()
    keyring.set_keyring(ours)
    yield ours
    ours.over.set()
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory of the stores."""
    monkeypatch.setenv("MAPAE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def store(home: Path, backend: Keyring) -> KeyringStore:
    """A store that has kept nothing yet."""
    return KeyringStore(FileStore.of(ISSUER))


def test_the_tokens_are_in_the_keyring_and_in_no_file(
    store: KeyringStore, backend: Keyring, home: Path
) -> None:
    assert store.read() is None
    store.write(SIGN_IN)
    store.write(OAUTH_SIGN_IN)

    assert store.read() == OAUTH_SIGN_IN
    assert kept_store(ISSUER) == store
    assert kept_store(ISSUER).read() == OAUTH_SIGN_IN
    assert b"access-0" not in b"".join(path.read_bytes() for path in home.iterdir())

    store.delete()
    store.delete()
    assert (store.read(), backend.kept) == (None, {})
    assert kept_store(ISSUER) == FileStore.of(ISSUER)


def test_a_keyring_that_fails_is_remembered_and_the_file_is_used(
    store: KeyringStore, backend: Keyring
) -> None:
    backend.fails = True
    store.write(SIGN_IN)
    assert store.place == "file"

    backend.fails = False
    assert kept_store(ISSUER).read() == SIGN_IN
    store.write(OAUTH_SIGN_IN)
    assert (FileStore.of(ISSUER).read(), backend.kept) == (OAUTH_SIGN_IN, {})

    store.delete()
    store.write(SIGN_IN)
    assert list(backend.kept)


def test_a_keyring_that_hangs_hangs_nobody(
    store: KeyringStore, backend: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE_S", 0.05)
    backend.hangs = True
    store.write(SIGN_IN)

    assert (store.place, store.read()) == ("file", SIGN_IN)


def test_a_keyring_that_is_locked_later_is_an_error_and_no_sign_out(
    store: KeyringStore, backend: Keyring
) -> None:
    store.write(SIGN_IN)
    backend.fails = True
    with pytest.raises(StoreFailed, match="unlock it"):
        store.read()

    backend.fails = False
    assert store.read() == SIGN_IN


def test_renewed_tokens_go_to_the_file_when_the_keyring_fails_meanwhile(
    store: KeyringStore, backend: Keyring
) -> None:
    store.write(SIGN_IN)
    backend.fails = True
    store.write(OAUTH_SIGN_IN)
    backend.fails = False

    assert store.read() == OAUTH_SIGN_IN


def test_damage_in_the_keyring_is_set_aside(store: KeyringStore, backend: Keyring, home: Path) -> None:
    store.write(SIGN_IN)
    for entry in backend.kept:
        backend.kept[entry] = "{damaged"
    with pytest.raises(StoreFailed, match="damaged"):
        store.read()

    assert store.read() is None
    assert [path.read_bytes() for path in home.glob("*.damaged-*")] == [b"{damaged"]


def test_a_newer_version_in_the_keyring_is_left_alone(store: KeyringStore, backend: Keyring) -> None:
    store.write(SIGN_IN)
    for entry, record in backend.kept.items():
        backend.kept[entry] = record.replace('"format": 1', '"format": 3')
    kept = dict(backend.kept)

    with pytest.raises(StoreFailed, match="upgrade"):
        store.read()
    assert backend.kept == kept


def test_a_session_is_found_in_the_keyring(home: Path, backend: Keyring) -> None:
    with auth_server() as server:
        store = KeyringStore(FileStore.of(server.url))
        Session.login(server.url, "alice", "open sesame", store=store)

        assert Session.load(server.url).refresh() == "access-1-2"
        assert "access-1-2" in next(iter(backend.kept.values()))


def test_the_token_of_the_environment_goes_before_every_store(
    home: Path, backend: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with auth_server() as server:
        Session.login(server.url, "alice", "open sesame")
        monkeypatch.setenv("MAPAE_TOKEN", "given-token")
        given = Session.load(server.url)

        assert given.token(min_life=3600) == "given-token"
        with pytest.raises(StoreFailed, match="MAPAE_TOKEN"):
            given.refresh("given-token")
        assert server.calls("refresh") == []
        chosen = Session.login(server.url, "alice", "open sesame", store=MemoryStore())
        assert chosen.token().startswith("access-")

        monkeypatch.delenv("MAPAE_TOKEN")
        assert Session.load(server.url).token() == "access-0-1"


def test_signing_out_with_the_token_of_the_environment_needs_no_refresh_token(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPAE_TOKEN", "given-token")
    with auth_server() as server:
        with pytest.raises(StoreFailed, match="unset it"):
            Session.load(server.url).logout()

        (call,) = server.calls("logout")
        assert call.headers["authorization"] == "Bearer given-token"
