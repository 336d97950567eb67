"""The session against a real socket: it renews in time, once, and never signs anybody out without need."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mapae.client import (
    FileStore,
    InvalidCredentials,
    LoginRequired,
    MemoryStore,
    Misuse,
    Session,
    Store,
    StoreFailed,
    Unavailable,
    UnexpectedAnswer,
)
from mapae.client.outside import Outside
from mapae.secret import Secret
from mapae.testing.clock import FixedClock
from tests.client.wire import AuthServer, Reply, auth_server, problem


@dataclass
class Bench:
    """A server, a signed-in session with a clock in our hands, and its store."""

    server: AuthServer
    clock: FixedClock
    monotonic: FixedClock
    store: Store

    @property
    def outside(self) -> Outside:
        """The same clocks for every session of a test."""
        return Outside(clock=self.clock, monotonic=self.monotonic)

    def login(self) -> Session:
        """Sign in as the user of the server."""
        return Session.login(
            self.server.url,
            "alice",
            "open sesame",
            device_name="bench",
            store=self.store,
            outside=self.outside,
        )

    def load(self) -> Session:
        """Another session object on the same store, as another process would have."""
        return Session.load(self.server.url, store=self.store, outside=self.outside)


@pytest.fixture(params=["memory", "file"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """With each kind of store."""
    with auth_server() as server:
        store = MemoryStore() if request.param == "memory" else FileStore(tmp_path / "home" / "session.json")
        yield Bench(server, FixedClock(), FixedClock(0), store)


def test_a_sign_in_names_the_device_and_the_installation(bench: Bench) -> None:
    session = bench.login()

    (call,) = bench.server.calls("login")
    assert call.body == {"username": "alice", "password": "open sesame", "device_name": "bench"}
    assert len(call.headers["mapae-instance"]) == 22
    assert session.username == "alice"
    assert session.token() == "access-0-1"


def test_an_installation_keeps_its_name_from_one_sign_in_to_the_next(bench: Bench) -> None:
    bench.login().logout()
    bench.login()
    Session.login(bench.server.url, "alice", "open sesame", store=MemoryStore())

    first, second, elsewhere = (call.headers["mapae-instance"] for call in bench.server.calls("login"))
    assert first == second != elsewhere


def test_a_refused_sign_in_stores_nothing(bench: Bench) -> None:
    with pytest.raises(InvalidCredentials):
        Session.login(bench.server.url, "alice", "wrong", store=bench.store)

    assert bench.store.read() is None


def test_a_password_never_leaves_over_plain_http() -> None:
    with pytest.raises(Misuse):
        Session.login("http://auth.example.com", "alice", "open sesame", store=MemoryStore())


def test_nobody_signed_in_is_said_so(bench: Bench) -> None:
    with pytest.raises(LoginRequired) as caught:
        bench.load()

    assert caught.value.reason == "not_signed_in"


def test_a_store_of_another_issuer_is_refused(bench: Bench) -> None:
    bench.login()

    with pytest.raises(Misuse):
        Session.load("https://other.example.com", store=bench.store)


def test_a_good_token_needs_no_server(bench: Bench) -> None:
    session = bench.login()
    bench.clock.advance(200)

    assert session.token() == "access-0-1"
    assert bench.load().token() == "access-0-1"
    assert bench.server.calls("refresh") == []


def test_a_token_near_its_end_is_renewed_and_kept(bench: Bench) -> None:
    session = bench.login()
    bench.clock.advance(245)

    assert session.token() == "access-1-2"
    assert session.token() == "access-1-2"
    assert bench.load().token() == "access-1-2"
    assert len(bench.server.calls("refresh")) == 1


def test_each_turn_has_its_own_attempt_value_and_one_instance(bench: Bench) -> None:
    session = bench.login()
    for _ in range(3):
        session.refresh()

    calls = bench.server.calls("refresh")
    assert [call.body["refresh_token"] for call in calls] == ["mpr_0", "mpr_1", "mpr_2"]
    assert len({call.headers["mapae-attempt"] for call in calls}) == 3
    assert {call.headers["mapae-instance"] for call in calls} == {
        bench.server.calls("login")[0].headers["mapae-instance"]
    }


def test_a_clock_that_is_set_back_does_not_hide_that_a_token_is_over(bench: Bench) -> None:
    session = bench.login()
    bench.clock.advance(250)
    bench.monotonic.advance(250)
    bench.clock.advance(-200)

    assert session.token() == "access-1-2"


def test_a_fresh_token_may_live_shorter_than_asked(bench: Bench) -> None:
    assert bench.login().token(min_life=100_000) == "access-1-2"


def test_a_lost_answer_is_asked_for_again_with_the_same_attempt_value(bench: Bench) -> None:
    session = bench.login()
    bench.server.replies.append(Reply(lost=True))

    assert session.refresh() == "access-1-3"
    first, second = bench.server.calls("refresh")
    assert first.body == second.body
    assert first.headers["mapae-attempt"] == second.headers["mapae-attempt"]


def test_answers_lost_again_and_again_are_no_sign_out(bench: Bench) -> None:
    session = bench.login()
    bench.server.replies.extend([Reply(lost=True)] * 6)
    for _ in range(3):
        with pytest.raises(Unavailable):
            session.refresh()
        bench.monotonic.advance(1000)

    assert session.refresh() == "access-1-8"
    assert len({call.headers["mapae-attempt"] for call in bench.server.calls("refresh")}) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(503, b"<html>maintenance</html>", {"Retry-After": "20"}),
        Reply(429, b"{}", {"Retry-After": "20"}),
        Reply(401, b"<html>hotel network</html>"),
        Reply(302, b"", {"Location": "https://evil.example/"}),
        Reply(200, b"<html>welcome</html>"),
        Reply(200, b"x" * 100_000),
        problem(403, "forbidden"),
    ],
    ids=lambda reply: f"{reply.status}-{len(reply.body)}",
)
def test_a_server_in_trouble_costs_nobody_the_session(bench: Bench, reply: Reply) -> None:
    session = bench.login()
    kept = bench.store.read()
    bench.clock.advance(280)  # 20 s left: less than the margin, and better than nothing
    bench.server.replies.append(reply)

    assert session.token() == "access-0-1"
    assert bench.store.read() == kept

    bench.monotonic.advance(1000)
    assert session.token() == "access-1-2"


def test_without_a_server_an_ended_token_is_an_error_that_says_when_to_try_again(bench: Bench) -> None:
    session = bench.login()
    bench.clock.advance(301)
    bench.server.replies.append(Reply(503, b"", {"Retry-After": "20"}))

    with pytest.raises(Unavailable) as caught:
        session.token()
    assert caught.value.retry_after == 20
    assert session.username == "alice"


def test_a_server_in_trouble_is_left_alone_for_the_time_it_asked_for(bench: Bench) -> None:
    session = bench.login()
    bench.clock.advance(301)
    bench.server.replies.append(Reply(503, b"", {"Retry-After": "20"}))
    with pytest.raises(Unavailable):
        session.token()

    bench.monotonic.advance(19)
    with pytest.raises(Unavailable) as caught:
        session.token()
    assert caught.value.retry_after == 1
    assert len(bench.server.calls("refresh")) == 1

    bench.monotonic.advance(1)
    assert session.token() == "access-1-2"


def test_sessions_on_one_store_leave_a_server_in_trouble_alone_together(bench: Bench) -> None:
    bench.login()
    bench.clock.advance(301)
    bench.server.replies.append(Reply(503, b"", {"Retry-After": "20"}))
    sessions = [bench.load(), bench.load()]
    for session in sessions:
        with pytest.raises(Unavailable):
            session.token()

    assert len(bench.server.calls("refresh")) == 1


def test_an_unreachable_server_is_unavailable(tmp_path: Path) -> None:
    clock = FixedClock()
    with auth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(server.url, "alice", "open sesame", store=store, outside=Outside(clock=clock))
    clock.advance(1000)

    with pytest.raises(Unavailable, match="cannot be reached"):
        session.token()
    assert store.read() is not None


@pytest.mark.parametrize("reason", ["replayed", "password_changed", "idle"])
def test_a_dead_session_leaves_no_token_behind_and_says_why(bench: Bench, reason: str) -> None:
    session = bench.login()
    bench.server.ended = reason
    bench.clock.advance(290)

    with pytest.raises(LoginRequired) as caught:
        session.token()
    assert caught.value.reason == reason
    tombstone = bench.store.read()
    assert tombstone is not None
    assert (tombstone.tokens, tombstone.ended) == (None, reason)

    with pytest.raises(LoginRequired) as again:
        bench.load()
    assert again.value.reason == reason
    assert len(bench.server.calls("refresh")) == 1


def test_a_dead_token_in_memory_is_not_used_after_the_end(bench: Bench) -> None:
    session = bench.login()
    bench.server.ended = "revoked_by_admin"
    with pytest.raises(LoginRequired):
        session.refresh()

    with pytest.raises(LoginRequired):
        session.token()


def test_a_session_goes_on_when_somebody_signs_in_again(bench: Bench) -> None:
    session = bench.login()
    bench.server.ended = "expired"
    with pytest.raises(LoginRequired):
        session.refresh()

    bench.login()
    assert session.token().startswith("access-0-")


def test_a_token_that_another_process_renewed_is_used(bench: Bench) -> None:
    ours, theirs = bench.login(), bench.load()
    renewed = theirs.refresh()

    assert ours.refresh(rejected="access-0-1") == renewed
    assert len(bench.server.calls("refresh")) == 1


def test_an_end_that_another_process_outran_is_none(bench: Bench) -> None:
    """Our token is refused, but while we asked another process stored newer ones: no sign-out."""
    session = bench.login()
    kept = bench.store.read()
    assert kept is not None
    assert kept.tokens is not None
    newer = replace(kept.tokens, access_token=Secret("access-of-another"), refresh_token=Secret("mpr_9"))
    moved_on = replace(kept, tokens=newer)
    bench.server.replies.append(problem(401, "session_ended", reason="replayed"))
    bench.server.before_answer = lambda: bench.store.write(moved_on)

    assert session.refresh() == "access-of-another"
    assert bench.store.read() == moved_on


def test_an_answer_is_stored_only_over_the_token_that_was_sent(bench: Bench) -> None:
    """While the answer was under way somebody signed in anew: the new session is not overwritten by the old one."""
    session = bench.login()
    kept = bench.store.read()
    assert kept is not None
    assert kept.tokens is not None
    anew = replace(
        kept.tokens, access_token=Secret("access-anew"), refresh_token=Secret("mpr_of_another_session")
    )
    signed_in_anew = replace(kept, tokens=anew)
    bench.server.before_answer = lambda: bench.store.write(signed_in_anew)

    assert session.refresh() == "access-anew"
    assert bench.store.read() == signed_in_anew


def test_an_answer_that_comes_after_a_sign_out_brings_nothing_back(bench: Bench) -> None:
    session = bench.login()
    bench.server.before_answer = bench.store.delete

    with pytest.raises(LoginRequired):
        session.refresh()
    assert bench.store.read() is None


def test_many_threads_make_one_turn_and_share_its_outcome(bench: Bench) -> None:
    session = bench.login()
    together = threading.Barrier(16)
    outcomes: list[str] = []

    def run() -> None:
        together.wait()
        outcomes.append(session.refresh(rejected="access-0-1"))

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(outcomes) == {"access-1-2"}
    assert len(outcomes) == 16
    assert len(bench.server.calls("refresh")) == 1


async def test_sessions_on_one_store_share_a_flight_with_threads_and_tasks(bench: Bench) -> None:
    sessions = [bench.login(), bench.load(), bench.load()]
    asked, release = threading.Event(), threading.Event()

    def hold_back() -> None:
        asked.set()
        release.wait(10)

    bench.server.before_answer = hold_back
    thread = threading.Thread(target=sessions[0].refresh, args=("access-0-1",))
    thread.start()
    await asyncio.to_thread(asked.wait, 10)
    wanting = [session.arefresh("access-0-1") for session in sessions for _ in range(50)]
    tasks = [asyncio.create_task(one) for one in wanting]
    await asyncio.sleep(0)
    release.set()
    outcomes = await asyncio.gather(*tasks)
    thread.join(10)

    assert set(outcomes) == {"access-1-2"}
    assert await sessions[0].atoken() == "access-1-2"
    assert len(bench.server.calls("refresh")) == 1


def test_a_failure_to_store_the_answer_is_an_error(tmp_path: Path) -> None:
    with auth_server() as server:
        store = FileStore(tmp_path / "home" / "session.json")
        session = Session.login(server.url, "alice", "open sesame", store=store)
        server.before_answer = lambda: (tmp_path / "home").chmod(0o777)

        with pytest.raises(StoreFailed):
            session.refresh()


def test_signing_out_tells_the_server_and_deletes_the_tokens(bench: Bench) -> None:
    session = bench.login()
    session.logout()

    (call,) = bench.server.calls("logout")
    assert call.body == {"refresh_token": "mpr_0", "scope": "this"}
    assert call.headers["mapae-instance"] == bench.server.calls("login")[0].headers["mapae-instance"]
    assert bench.store.read() is None
    with pytest.raises(LoginRequired):
        session.token()


def test_signing_out_the_others_keeps_this_session(bench: Bench) -> None:
    session = bench.login()
    session.logout("others")

    assert bench.server.calls("logout")[0].body["scope"] == "others"
    assert session.token() == "access-0-1"


@pytest.mark.parametrize(("scope", "kept"), [("this", False), ("others", True), ("all", True)])
def test_without_a_server_only_this_device_can_be_signed_out(bench: Bench, scope: str, kept: bool) -> None:
    session = bench.login()
    bench.server.replies.append(Reply(503))

    with pytest.raises(Unavailable):
        session.logout(scope)  # type: ignore[arg-type]
    assert (bench.store.read() is not None) is kept


def test_signing_out_of_a_dead_session_clears_what_is_left(bench: Bench) -> None:
    session = bench.login()
    bench.server.ended = "idle"
    with pytest.raises(LoginRequired):
        session.refresh()

    with pytest.raises(LoginRequired):
        session.logout()
    assert bench.store.read() is None


def test_another_service_at_the_address_is_told_apart(bench: Bench) -> None:
    bench.server.replies.append(Reply(404, b"not found"))

    with pytest.raises(UnexpectedAnswer, match="address"):
        bench.login()


class HeldStore(MemoryStore):
    """Its lock tells when somebody wants it, and is given once `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted, self.release = threading.Event(), threading.Event()

    @contextmanager
    def lock(self, deadline_s: float) -> Iterator[bool]:
        self.wanted.set()
        self.release.wait(10)
        with super().lock(deadline_s) as held:
            yield held


def test_who_joins_a_flight_that_brings_the_token_he_has_gets_another() -> None:
    """One thread adopts what another process stored; meanwhile a second one learns that an API refuses just that."""
    store = HeldStore()
    store.release.set()
    with auth_server() as server:
        session = Session.login(server.url, "alice", "open sesame", store=store)
        adopted = Session.load(server.url, store=store).refresh()
        outcomes: dict[str, str] = {}
        threads = [
            threading.Thread(
                target=lambda rejected: outcomes.update({rejected: session.refresh(rejected)}), args=(it,)
            )
            for it in ("access-0-1", adopted)
        ]
        store.wanted.clear()
        store.release.clear()
        threads[0].start()
        store.wanted.wait(10)
        threads[1].start()
        threads[1].join(0.1)  # long enough to join the flight
        store.release.set()
        for thread in threads:
            thread.join(10)

    assert outcomes == {"access-0-1": adopted, adopted: "access-2-3"}
