"""Sign-in at a standard OAuth server, and what its tokens need afterwards: no turn is ever taken twice."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from mapae.client import (
    FileStore,
    LoginRefused,
    LoginRequired,
    MemoryStore,
    Misuse,
    Session,
    StepUpRequired,
    Store,
    Unavailable,
    UnexpectedAnswer,
)
from mapae.client.loopback import listening
from mapae.client.oauth import DevicePrompt, OAuthClient, OAuthServer, Secret
from mapae.client.outside import Outside
from mapae.testing.clock import FixedClock
from tests.client.oauth_wire import OAuthWire, basic, oauth_server
from tests.client.wire import Reply

NATIVE = OAuthClient("native", scope="openid orders:read", resource="https://api.example.com")


@dataclass
class Bench:
    """A server, a store, and a clock in our hands."""

    wire: OAuthWire
    store: Store
    clock: FixedClock
    monotonic: FixedClock

    @property
    def outside(self) -> Outside:
        """The same clocks for every session of a test."""
        return Outside(clock=self.clock, monotonic=self.monotonic)

    def server(self, client: OAuthClient = NATIVE, **more: Any) -> OAuthServer:
        """What a program signs in with."""
        return OAuthServer(self.wire.url, client, self.store, outside=self.outside, **more)

    def sign_in(self) -> Session:
        """Sign in in a browser."""
        return self.server().login_with_browser(self.wire.browse)


@pytest.fixture(params=["memory", "file"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """With each kind of store."""
    with oauth_server() as wire:
        store = MemoryStore() if request.param == "memory" else FileStore(tmp_path / "home" / "session.json")
        yield Bench(wire, store, FixedClock(), FixedClock(0))


def test_a_browser_signs_in(bench: Bench) -> None:
    session = bench.sign_in()

    assert session.token() == "access-0-1"
    assert session.username == "alice"
    asked = bench.wire.authorized
    assert (asked["response_type"], asked["client_id"]) == ("code", "native")
    assert (asked["scope"], asked["resource"]) == ("openid orders:read", "https://api.example.com")
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    (redeemed,) = bench.wire.calls_to("/token")
    assert redeemed.body["redirect_uri"] == asked["redirect_uri"]
    assert redeemed.headers["mapae-instance"]
    assert "You can close this window" in bench.wire.page


async def test_a_browser_signs_in_while_the_event_loop_goes_on(bench: Bench) -> None:
    session = await bench.server().alogin_with_browser(bench.wire.browse)

    assert await session.atoken() == "access-0-1"


def test_every_sign_in_draws_its_own_state_verifier_and_nonce(bench: Bench) -> None:
    drawn = []
    for _ in range(2):
        bench.sign_in()
        drawn.append({bench.wire.authorized[name] for name in ("state", "code_challenge", "nonce")})

    assert len(drawn[0] | drawn[1]) == 6


def test_what_an_api_wanted_is_asked_for(bench: Bench) -> None:
    wanted = StepUpRequired("insufficient_user_authentication", acr_values="phr", max_age=60)
    bench.server(step_up=wanted).login_with_browser(bench.wire.browse)
    assert (bench.wire.authorized["acr_values"], bench.wire.authorized["max_age"]) == ("phr", "60")

    missing = StepUpRequired("insufficient_scope", scope="orders:read orders:write")
    bench.server(step_up=missing).login_with_browser(bench.wire.browse)
    assert bench.wire.authorized["scope"] == "openid orders:read orders:write"


@pytest.mark.parametrize(
    ("redirect", "code"),
    [
        ({"error": "access_denied", "code": ""}, "access_denied"),
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"iss": ""}, "wrong_issuer"),  # promised in the metadata (RFC 9207 section 2.4)
        ({"error": "access_denied", "iss": "https://evil.example"}, "wrong_issuer"),
        ({"code": ""}, "invalid_response"),
        ({"code": "another"}, "invalid_grant"),
    ],
)
def test_a_redirect_that_brings_no_code_of_this_server_is_refused(
    bench: Bench, redirect: dict[str, str], code: str
) -> None:
    bench.wire.redirect = redirect

    with pytest.raises(LoginRefused) as caught:
        bench.sign_in()
    assert caught.value.code == code
    assert bench.store.read() is None


def test_a_server_that_sends_no_issuer_need_not(bench: Bench) -> None:
    bench.wire.metadata["authorization_response_iss_parameter_supported"] = None
    bench.wire.redirect = {"iss": ""}

    assert bench.sign_in().token() == "access-0-1"


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["another"]}, {"nonce": "another"}],
)
def test_an_id_token_for_somebody_else_signs_nobody_in(bench: Bench, claims: dict[str, Any]) -> None:
    bench.wire.id_token = claims

    with pytest.raises(LoginRefused) as caught:
        bench.sign_in()
    assert caught.value.code == "invalid_id_token"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://auth.example.com/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"revocation_endpoint": 7},
        {"token_endpoint_auth_methods_supported": "all"},
    ],
)
def test_metadata_that_is_another_servers_or_unsafe_is_not_used(
    bench: Bench, metadata: dict[str, Any]
) -> None:
    bench.wire.metadata = metadata

    with pytest.raises(UnexpectedAnswer):
        bench.sign_in()
    assert bench.wire.calls_to("/token") == []


@pytest.mark.parametrize("answers", [{"token_type": "DPoP"}, {"token_type": None}, {"access_token": "a b"}])
def test_an_answer_without_a_bearer_token_signs_nobody_in(bench: Bench, answers: dict[str, Any]) -> None:
    bench.wire.answers = answers

    with pytest.raises(UnexpectedAnswer):
        bench.sign_in()


def test_a_place_that_is_no_oauth_server_is_told_apart(bench: Bench) -> None:
    server = replace(bench.server(), issuer=f"{bench.wire.url}/elsewhere")

    with pytest.raises(Unavailable, match="check the address"):
        server.login_with_browser(bench.wire.browse)


def test_a_device_signs_in_and_polls_as_it_is_told(bench: Bench) -> None:
    bench.wire.polls = ["authorization_pending", "authorization_pending"]
    shown: list[DevicePrompt] = []
    session = bench.server().login_with_device(shown.append)

    assert session.token().startswith("access-0-")
    assert session.username == "alice"
    assert (shown[0].user_code, shown[0].verification_uri) == ("WDJB-MJHT", f"{bench.wire.url}/activate")
    assert bench.wire.calls_to("/device")[0].body["scope"] == "openid orders:read"
    assert len(bench.wire.calls_to("/token")) == 3


async def test_a_device_signs_in_while_the_event_loop_goes_on(bench: Bench) -> None:
    bench.wire.polls = ["authorization_pending"]
    session = await bench.server().alogin_with_device(lambda _: None)

    assert (await session.atoken()).startswith("access-0-")


async def test_waiting_for_a_device_can_be_cancelled(bench: Bench) -> None:
    bench.wire.polls = ["slow_down", *["authorization_pending"] * 1000]
    shown = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(
        bench.server().alogin_with_device(lambda _: loop.call_soon_threadsafe(shown.set))
    )
    await shown.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.store.read() is None


@pytest.mark.parametrize("error", ["access_denied", "expired_token"])
def test_a_device_that_is_refused_gives_up(bench: Bench, error: str) -> None:
    bench.wire.polls = ["authorization_pending", error]

    with pytest.raises(LoginRefused) as caught:
        bench.server().login_with_device(lambda _: None)
    assert caught.value.code == error
    assert len(bench.wire.calls_to("/token")) == 2


def test_a_service_signs_in_by_its_secret_and_again_when_its_token_grows_old(bench: Bench) -> None:
    bench.wire.answers = {"refresh_token": None, "id_token": None}
    client = OAuthClient("a service", Secret("s e:cret"), scope="orders:read")
    session = bench.server(client).login_as_client()
    bench.clock.advance(280)

    assert session.token() == "access-0-2"
    first, second = bench.wire.calls_to("/token")
    assert basic(first) == "a+service:s+e%3Acret"
    assert first.body == second.body == {"grant_type": "client_credentials", "scope": "orders:read"}
    assert session.username == "a service"


def test_a_server_that_wants_the_secret_in_the_body_gets_it_there(bench: Bench) -> None:
    bench.wire.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    bench.server(OAuthClient("service", Secret("secret"))).login_as_client()

    (call,) = bench.wire.calls_to("/token")
    assert (call.body["client_id"], call.body["client_secret"]) == ("service", "secret")
    assert "authorization" not in call.headers


def test_a_token_near_its_end_is_renewed_at_the_token_endpoint(bench: Bench) -> None:
    session = bench.sign_in()
    bench.clock.advance(280)

    assert session.token() == "access-1-2"
    call = bench.wire.calls_to("/token")[1]
    assert call.body == {
        "grant_type": "refresh_token",
        "refresh_token": "r-0",
        "client_id": "native",
        "resource": "https://api.example.com",
    }
    loaded = Session.load(bench.wire.url, store=bench.store, outside=bench.outside)
    assert loaded.refresh() == "access-2-3"


def test_a_refresh_token_stays_when_the_answer_brings_no_other(bench: Bench) -> None:
    session = bench.sign_in()
    bench.wire.rotates, bench.wire.answers = False, {"refresh_token": None}

    assert [session.refresh(), session.refresh()] == ["access-0-2", "access-0-3"]
    assert bench.wire.reused == []


def test_only_invalid_grant_ends_a_session(bench: Bench) -> None:
    session = bench.sign_in()
    bench.clock.advance(280)
    kept = bench.store.read()
    for error in ("invalid_client", "invalid_request", "unauthorized_client", "temporarily_unavailable"):
        bench.wire.replies = [Reply(400, b'{"error": "%s"}' % error.encode())]
        assert session.token() == "access-0-1"
        assert bench.store.read() == kept
        bench.monotonic.advance(1)
    bench.monotonic.advance(10)
    bench.wire.replies = [Reply(400, b'{"error": "invalid_grant"}')]

    with pytest.raises(LoginRequired) as caught:
        session.refresh()
    assert caught.value.reason == "invalid_grant"


def test_a_lost_answer_is_not_asked_for_again_at_once(bench: Bench) -> None:
    """Without replay the same token twice is theft: the next call may find that it was taken, or not."""
    session = bench.sign_in()
    bench.wire.replies = [Reply(lost=True)]

    with pytest.raises(Unavailable):
        session.refresh()
    assert len(bench.wire.calls_to("/token")) == 2


class LockedStore(MemoryStore):
    """Its lock is never to be had."""

    @contextmanager
    def lock(self, deadline_s: float) -> Iterator[bool]:
        with nullcontext():
            yield False


def test_without_the_lock_no_turn_is_taken(bench: Bench) -> None:
    session = replace(bench.server(), store=LockedStore()).login_with_browser(bench.wire.browse)
    bench.clock.advance(280)

    assert session.token() == "access-0-1"
    bench.clock.advance(20)
    with pytest.raises(Unavailable, match="another process"):
        session.token()
    assert len(bench.wire.calls_to("/token")) == 1


def test_many_threads_take_no_turn_twice(bench: Bench) -> None:
    sessions = [bench.sign_in()]
    sessions += [Session.load(bench.wire.url, store=bench.store, outside=bench.outside) for _ in range(3)]
    together = threading.Barrier(16)

    def run(session: Session) -> None:
        together.wait()
        for _ in range(3):
            session.refresh()

    threads = [threading.Thread(target=run, args=(session,)) for session in sessions for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bench.wire.reused == []


def test_without_a_refresh_token_the_session_ends_with_the_access_token(bench: Bench) -> None:
    bench.wire.answers = {"refresh_token": None}
    session = bench.sign_in()
    bench.clock.advance(299)
    assert session.token() == "access-0-1"

    bench.clock.advance(1)
    with pytest.raises(LoginRequired) as caught:
        session.token()
    assert caught.value.reason == "expired"


def test_signing_out_revokes_the_refresh_token(bench: Bench) -> None:
    session = bench.sign_in()
    with pytest.raises(Misuse):
        session.logout("all")
    session.logout()

    (call,) = bench.wire.calls_to("/revoke")
    assert call.body == {"token": "r-0", "client_id": "native"}
    assert call.headers["mapae-instance"] == bench.wire.calls_to("/token")[0].headers["mapae-instance"]
    assert bench.store.read() is None


def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except HTTPError as refused:
        with refused:
            return refused.status or 0, refused.read().decode(), dict(refused.headers)


def test_the_listener_takes_one_redirect_and_nothing_else() -> None:
    with listening("native", "the-state") as loopback:
        uri = loopback.redirect_uri
        base = uri.removesuffix("/callback")
        right = urlencode({"state": "the-state", "code": "c"})
        assert get(f"{base}/favicon.ico")[0] == 404
        assert get(f"{uri}?{right}", Host="evil.example")[0] == 404
        assert get(f"{uri}?code=c")[0] == 400
        assert get(f"{uri}?state=another&code=c")[0] == 400
        assert get(f"{uri}?{right}&code=d")[0] == 400
        assert get(f"{uri}?{right}")[0] == 200
        assert get(f"{uri}?state=the-state&code=late")[0] == 400

        assert loopback.wait() == {"state": "the-state", "code": "c"}


def test_the_page_runs_nothing_and_keeps_nothing() -> None:
    with listening("<script>x</script>", "the-state") as loopback:
        _, page, headers = get(f"{loopback.redirect_uri}?state=the-state&code=the-code")

    assert "<script>" not in page
    assert "the-code" not in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_nobody_comes_back() -> None:
    with listening("native", "the-state") as loopback, pytest.raises(LoginRefused) as caught:
        loopback.wait(0.01)

    assert caught.value.code == "expired"
