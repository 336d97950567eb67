"""A full disk and a store that cannot be written: an error that says what to do, and nothing lost."""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import filelock as _loaded_before_this_process_may_not_read_its_libraries  # noqa: F401
import pytest

from mapae.client import FileStore, LoginRequired, Session, StoreFailed
from mapae.client.oauth import OAuthClient, OAuthServer, Secret
from mapae.client.outside import Outside
from mapae.testing.clock import FixedClock
from tests.client.oauth_wire import OAuthWire, oauth_server
from tests.client.test_store import SIGN_IN
from tests.client.wire import AuthServer, auth_server

NOBODY = 65534


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may grow: what a full disk does, for this process alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def filling_the_disk(server: AuthServer | OAuthWire) -> Iterator[None]:
    """The disk is full from the moment the next request has arrived."""
    filling = no_room()
    server.before_answer = filling.__enter__
    try:
        yield
    finally:
        server.before_answer = lambda: None
        filling.__exit__(None, None, None)


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory of our own, as a user whom the system may refuse something."""
    directory = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(directory, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield directory
    finally:
        if is_root:
            os.seteuid(0)
        directory.chmod(0o700)
        rmtree(directory)


def test_on_a_full_disk_nothing_is_sent_and_nothing_is_lost(tmp_path: Path) -> None:
    clock = FixedClock()
    with auth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(server.url, "alice", "open sesame", store=store, outside=Outside(clock=clock))
        kept = store.read()
        clock.advance(280)
        with no_room(), pytest.raises(StoreFailed, match="make room"):
            session.token()

        assert server.calls("refresh") == []
        assert store.read() == kept
        assert [path.name for path in store.path.parent.iterdir() if path.name.startswith(".")] == []
        assert session.token() == "access-1-2"


def test_a_disk_that_fills_while_the_answer_is_under_way_loses_no_answer(tmp_path: Path) -> None:
    with auth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(server.url, "alice", "open sesame", store=store)
        with filling_the_disk(server), pytest.raises(StoreFailed):
            session.refresh()

        assert session.refresh() == "access-1-2"
        assert len(server.calls("refresh")) == 1
        assert Session.load(server.url, store=store).token() == "access-1-2"


def test_at_a_server_without_replay_such_an_answer_is_not_lost_either(tmp_path: Path) -> None:
    with oauth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = OAuthServer(server.url, OAuthClient("native"), store).login_with_browser(server.browse)
        with filling_the_disk(server), pytest.raises(StoreFailed):
            session.refresh()

        assert session.refresh() == "access-1-2"
        assert session.refresh() == "access-2-3"
        assert server.reused == []


def test_an_answer_that_could_not_be_stored_gives_way_to_a_newer_sign_in(tmp_path: Path) -> None:
    with auth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(server.url, "alice", "open sesame", store=store)
        with filling_the_disk(server), pytest.raises(StoreFailed):
            session.refresh()
        anew = SIGN_IN.tokens
        assert anew is not None
        store.write(replace(SIGN_IN, issuer=server.url, tokens=replace(anew, refresh_token=Secret("mpr_1"))))

        assert session.refresh() == "access-2-3"


def test_a_store_that_cannot_be_written_gives_its_token_and_says_why_it_renews_none(home: Path) -> None:
    clock = FixedClock()
    with auth_server() as server:
        store, outside = FileStore(home / "session.json"), Outside(clock=clock)
        session = Session.login(server.url, "alice", "open sesame", store=store, outside=outside)
        home.chmod(0o500)
        assert Session.load(server.url, store=store, outside=outside).token() == "access-0-1"
        clock.advance(280)
        with pytest.raises(StoreFailed, match="Permission denied"):
            session.token()
        assert server.calls("refresh") == []

        home.chmod(0o700)
        assert session.token() == "access-1-2"


def test_where_nothing_can_be_deleted_either_the_first_trouble_is_told(tmp_path: Path) -> None:
    """As on a read-only file system: what was to be cleaned up cannot be."""
    store = FileStore(tmp_path / "home" / ("x" * 250))

    with pytest.raises(StoreFailed, match="File name too long"):
        store.write(SIGN_IN)


def test_signing_out_leaves_nothing_of_a_process_that_was_killed_while_it_wrote(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "home" / "session.json")
    store.write(SIGN_IN)
    left = store.path.with_name(".session.json.0123456789abcdef")
    left.write_bytes(store.path.read_bytes())
    store.delete()

    assert not left.exists()


def test_a_damaged_store_is_told_once_and_kept(tmp_path: Path) -> None:
    with auth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(server.url, "alice", "open sesame", store=store)
        store.path.write_bytes(b"\x00" * 40)
        with pytest.raises(StoreFailed, match="damaged"):
            session.refresh()
        with pytest.raises(LoginRequired):
            session.refresh()

        assert [path.read_bytes() for path in store.path.parent.glob("*.damaged-*")] == [b"\x00" * 40]
