"""What both stores promise, and what the file store does about files that are damaged or not safe."""

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mapae.cli.profiles import Profile, current_label, make_current, sign_ins
from mapae.client.errors import StoreFailed
from mapae.client.records import OAuthClient, OAuthGrant, SignIn, Tokens, dump
from mapae.client.store import FileStore, MemoryStore, Store
from mapae.secret import Secret

ISSUER = "https://auth.example.com"
TOKENS = Tokens(
    access_token=Secret("access-0"),
    expires_at=1_800_000_300.0,
    life_s=300.0,
    skew_s=-1.5,
    refresh_token=Secret("mpr_0"),
    refresh_expires_at=1_802_592_000.0,
    session_id="AbCdEfGhIjKl",
    scope="orders:read",
)
SIGN_IN = SignIn(ISSUER, "älice", Secret("instance-0123456789ab"), TOKENS)
OAUTH_SIGN_IN = replace(
    SIGN_IN,
    tokens=replace(TOKENS, refresh_token=None, refresh_expires_at=None),
    grant=OAuthGrant(
        OAuthClient("service", Secret("its-secret"), "orders:read", "https://api.example.com"),
        "client_credentials",
        f"{ISSUER}/token",
        "client_secret_basic",
    ),
)


OAUTH_DAMAGE = dump(OAUTH_SIGN_IN).replace(b'"client_credentials"', b'"password"')


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory of the stores."""
    monkeypatch.setenv("MAPAE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(params=[MemoryStore, lambda: FileStore.of(ISSUER)], ids=["memory", "file"])
def store(request: pytest.FixtureRequest, home: Path) -> Store:
    """One of each kind, empty."""
    make: Callable[[], Store] = request.param
    return make()


def test_a_store_gives_back_what_it_was_given(store: Store) -> None:
    assert store.read() is None

    store.write(SIGN_IN)
    assert store.read() == SIGN_IN

    store.write(OAUTH_SIGN_IN)
    assert store.read() == OAUTH_SIGN_IN

    tombstone = replace(SIGN_IN, tokens=None, ended="replayed")
    store.write(tombstone)
    assert store.read() == tombstone

    store.delete()
    store.delete()
    assert store.read() is None


def test_a_turn_has_one_attempt_value_whoever_asks(store: Store) -> None:
    store.write(SIGN_IN)
    first = store.attempt(Secret("mpr_0"), Secret("drawn-first"))

    assert first == Secret("drawn-first")
    assert store.attempt(Secret("mpr_0"), Secret("drawn-later")) == first


def test_the_attempt_value_of_the_turn_before_is_kept_and_older_ones_are_not(store: Store) -> None:
    for turn in range(3):
        store.attempt(Secret(f"mpr_{turn}"), Secret(f"drawn-{turn}"))

    assert store.attempt(Secret("mpr_1"), Secret("again")) == Secret("drawn-1")
    assert store.attempt(Secret("mpr_0"), Secret("again")) == Secret("again")


def test_deleting_forgets_the_attempt_values_too(store: Store) -> None:
    store.attempt(Secret("mpr_0"), Secret("drawn"))
    store.delete()

    assert store.attempt(Secret("mpr_0"), Secret("again")) == Secret("again")


def test_the_lock_is_held_by_one_at_a_time(store: Store) -> None:
    entered = threading.Event()

    def second() -> None:
        with store.lock(10):
            entered.set()

    thread = threading.Thread(target=second)
    with store.lock(10):
        thread.start()
        assert not entered.wait(0.2)
    thread.join(10)

    assert entered.is_set()


def test_a_lock_that_is_not_to_be_had_never_hangs(store: Store) -> None:
    entered = []
    with store.lock(10):
        thread = threading.Thread(target=lambda: entered.append(_enter(store)))
        thread.start()
        thread.join(10)

    assert entered == [False]
    assert _enter(store)


def _enter(store: Store) -> bool:
    with store.lock(0.05) as held:
        return held


def test_only_the_owner_can_read_the_files(home: Path) -> None:
    store = FileStore.of(ISSUER)
    with store.lock(10):
        store.write(SIGN_IN)
    store.attempt(Secret("mpr_0"), Secret("drawn"))
    make_current(Profile(ISSUER))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_no_half_written_file_stays_behind(home: Path) -> None:
    store = FileStore.of(ISSUER)
    store.write(SIGN_IN)
    store.write(SIGN_IN)
    store.attempt(Secret("mpr_0"), Secret("drawn"))
    store.attempt(Secret("mpr_0"), Secret("drawn"))

    assert not [path.name for path in home.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"null",
        b'{"format": 1}',
        b"\x00" * 64,
        b"[" * 100_000,
        b'{"format": 1, "issuer": 3}',
        OAUTH_DAMAGE,
    ],
)
def test_a_damaged_file_is_set_aside_and_never_emptied(home: Path, damage: bytes) -> None:
    store = FileStore.of(ISSUER)
    store.write(SIGN_IN)
    store.path.write_bytes(damage)

    with pytest.raises(StoreFailed, match="damaged"):
        store.read()

    assert store.read() is None
    assert [path.read_bytes() for path in home.glob("*.damaged-*")] == [damage]


def test_a_file_that_was_made_whole_meanwhile_is_not_set_aside(home: Path) -> None:
    """Between reading the damage and setting it aside, somebody signs in anew."""
    store = FileStore.of(ISSUER)
    store.write(SIGN_IN)

    assert store._set_aside(b"what was read before") is None
    assert store.read() == SIGN_IN
    assert not list(home.glob("*.damaged-*"))


def test_a_file_of_a_newer_version_is_left_alone(home: Path) -> None:
    store = FileStore.of(ISSUER)
    store.write(SIGN_IN)
    newer = store.path.read_bytes().replace(b'"format": 1', b'"format": 3')
    store.path.write_bytes(newer)

    with pytest.raises(StoreFailed, match="upgrade"):
        store.read()
    assert store.path.read_bytes() == newer


def test_an_older_version_leaves_an_oauth_sign_in_alone(home: Path) -> None:
    """It would send the refresh token to the session API; it knows format 1 and no other."""
    store = FileStore.of(ISSUER)
    store.write(OAUTH_SIGN_IN)
    assert b'"format": 2' in store.path.read_bytes()
    store.write(SIGN_IN)
    assert b'"format": 1' in store.path.read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_file_that_is_open_to_others_is_refused(home: Path, mode: int) -> None:
    store = FileStore.of(ISSUER)
    store.write(SIGN_IN)
    store.path.chmod(mode)

    with pytest.raises(StoreFailed, match="chmod 600"):
        store.read()


def test_a_symbolic_link_is_refused(home: Path, tmp_path: Path) -> None:
    store = FileStore.of(ISSUER)
    store.write(SIGN_IN)
    elsewhere = tmp_path / "elsewhere"
    store.path.rename(elsewhere)
    store.path.symlink_to(elsewhere)

    with pytest.raises(StoreFailed, match="symbolic link"):
        store.read()


def test_a_pipe_in_the_place_of_the_file_is_refused_at_once(home: Path) -> None:
    store = FileStore.of(ISSUER)
    home.mkdir(mode=0o700)
    os.mkfifo(store.path, 0o600)

    with pytest.raises(StoreFailed, match="plain file"):
        store.read()


def test_a_directory_that_others_may_write_into_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)

    with pytest.raises(StoreFailed, match="chmod 700"):
        FileStore.of(ISSUER).write(SIGN_IN)


def test_a_directory_that_cannot_be_made_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MAPAE_HOME", str(tmp_path / "file" / "home"))

    with pytest.raises(StoreFailed, match="MAPAE_HOME"):
        FileStore.of(ISSUER).write(SIGN_IN)


def test_issuers_on_one_host_have_a_file_each(home: Path) -> None:
    issuers = ["https://auth.example.com/a", "https://auth.example.com/b", "https://auth.example.com"]
    for issuer in issuers:
        FileStore.of(issuer).write(replace(SIGN_IN, issuer=issuer))

    assert [sign_in.issuer for _, sign_in in sign_ins()] == sorted(issuers)


def test_the_last_issuer_is_remembered(home: Path) -> None:
    assert current_label() is None
    make_current(Profile(ISSUER))
    make_current(Profile("https://other.example.com"))

    assert current_label() == "https://other.example.com"


def test_without_a_setting_the_files_are_in_the_users_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAPAE_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert FileStore.of(ISSUER).path.parent == tmp_path / "mapae"


def test_a_record_shows_no_secret() -> None:
    shown = repr(SIGN_IN) + repr(OAUTH_SIGN_IN)

    assert "its-secret" not in shown

    assert "access-0" not in shown
    assert "mpr_0" not in shown
    assert "instance-0123456789ab" not in shown
