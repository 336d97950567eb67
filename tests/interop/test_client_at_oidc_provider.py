"""Our client at npm oidc-provider, which rotates refresh tokens and takes a second use for theft."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from bench.provider import FOLDER, install_provider
from mapae.client import FileStore, LoginRefused, LoginRequired, MemoryStore, Session
from mapae.client.oauth import DevicePrompt, OAuthClient, OAuthServer, Secret
from tests.journeys.client_storm import Crowd, weather
from tests.journeys.person import browse
from tests.journeys.processes import free_port

NATIVE = OAuthClient("native", scope="openid offline_access orders:read")


@pytest.fixture(scope="module")
def issuer(node_modules: Path) -> Iterator[str]:
    """A provider whose access tokens live two seconds."""
    with FileLock(node_modules.with_name(".installing")):  # among the processes that share the tests
        node = install_provider()
    if node is None:
        pytest.fail("npm cannot install oidc-provider.", pytrace=False)
    port = free_port()
    with subprocess.Popen(
        [node, "server.mjs", str(port), "0", "2"],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline()) == []
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def agree(url: str) -> None:
    """A browser with a person who agrees; the provider knows who it is."""
    browse(url, {})


def test_a_browser_signs_in_renews_and_signs_out(issuer: str) -> None:
    session = OAuthServer(issuer, NATIVE, MemoryStore()).login_with_browser(agree)

    assert session.username == "user-0"
    tokens = [session.token(min_life=0), session.refresh(), session.refresh()]
    assert len(set(tokens)) == 3
    session.logout()
    with pytest.raises(LoginRequired):
        session.token()


def test_a_device_signs_in_with_a_code_that_somebody_enters_elsewhere(issuer: str) -> None:
    def enter(prompt: DevicePrompt) -> None:
        assert prompt.verification_uri_complete is not None
        agree(prompt.verification_uri_complete)

    session = OAuthServer(issuer, NATIVE, MemoryStore()).login_with_device(enter)

    assert session.username == "user-0"
    assert session.token(min_life=0) != session.refresh()


def test_a_service_signs_in_by_its_secret(issuer: str) -> None:
    client = OAuthClient("service", Secret("a secret: with signs"), scope="orders:read")
    session = OAuthServer(issuer, client).login_as_client()

    assert session.token(min_life=0) != session.refresh()
    with pytest.raises(LoginRefused) as caught:
        OAuthServer(issuer, OAuthClient("service", Secret("wrong"))).login_as_client()
    assert caught.value.code == "invalid_client"


def test_a_refresh_token_that_was_used_elsewhere_ends_the_session(issuer: str) -> None:
    store = MemoryStore()
    session = OAuthServer(issuer, NATIVE, store).login_with_browser(agree)
    before = store.read()
    assert before is not None
    session.refresh()
    store.write(before)

    with pytest.raises(LoginRequired) as caught:
        session.refresh()
    assert caught.value.reason == "invalid_grant"


def test_processes_threads_and_tasks_with_the_lock_are_no_sign_out(issuer: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "home" / "session.json")
    OAuthServer(issuer, NATIVE, store).login_with_browser(agree)
    seen = weather(Crowd(3, 3, 3, seconds=4), issuer, store.path)

    assert set(seen.outcomes) == {"token"}, seen
    assert Session.load(issuer, store=store).refresh()
