"""Keys fetched from an issuer, over real sockets: when it is asked, by whom, and what its failures cost."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mapae import TokenRejected, Verifier
from mapae.jose import jwt
from mapae.jose.jwk import Jwk
from mapae.testing import FixedClock
from mapae.verifier import key_source
from tests.verifier.loopback import (
    KEYS,
    METADATA,
    OAUTH_METADATA,
    LoopbackIssuer,
    Request,
    document,
    loopback_issuer,
    raw,
)

AUDIENCE = "https://api.example.com"
CROWD = 32
KEY, NEXT_KEY, UNPUBLISHED = (Jwk.generate("ES256") for _ in range(3))


@pytest.fixture
def server() -> Iterator[LoopbackIssuer]:
    with loopback_issuer() as issuer:
        issuer.publish(KEY)
        yield issuer


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def age() -> FixedClock:
    """The monotonic clock."""
    return FixedClock(1000)


@pytest.fixture
def verifier(server: LoopbackIssuer, clock: FixedClock, age: FixedClock) -> Verifier:
    return Verifier(issuer=server.url, audience=AUDIENCE, clock=clock, monotonic=age)


@pytest.fixture
def token(server: LoopbackIssuer, clock: FixedClock) -> Callable[..., str]:
    def mint(key: Jwk = KEY, **claims: Any) -> str:
        now = int(clock())
        usual = {"iss": server.url, "sub": "alice", "aud": AUDIENCE, "exp": now + 10**6, "iat": now}
        return jwt.sign_claims({**usual, "jti": "1", "client_id": "mapae", **claims}, key, typ="at+jwt")

    return mint


def _settle(verifier: Verifier) -> None:
    """Wait for the fetch under way."""
    pending = verifier._steps.keys.refetch()
    if pending is not None:
        pending.wait()


def test_nothing_is_fetched_before_the_first_token(verifier: Verifier, server: LoopbackIssuer) -> None:
    assert server.requests == []


def test_the_keys_are_discovered_once_and_serve_from_then_on(
    verifier: Verifier, server: LoopbackIssuer, token: Callable[..., str]
) -> None:
    for number in range(20):
        assert verifier.verify(token(jti=str(number))).jti == str(number)

    assert server.requests == [METADATA, KEYS]


def test_an_issuer_that_only_speaks_oauth_is_discovered_too(
    verifier: Verifier, server: LoopbackIssuer, token: Callable[..., str]
) -> None:
    server.answers[OAUTH_METADATA] = server.answers.pop(METADATA)

    assert verifier.verify(token()).subject == "alice"


def test_an_issuer_with_a_path_is_discovered_in_both_ways(server: LoopbackIssuer, clock: FixedClock) -> None:
    issuer = f"{server.url}/tenant"
    metadata = document({"issuer": issuer, "jwks_uri": f"{server.url}{KEYS}"})
    claims = {"iss": issuer, "sub": "a", "aud": AUDIENCE, "exp": clock() + 60, "iat": clock(), "jti": "1"}
    raw_token = jwt.sign_claims({**claims, "client_id": "mapae"}, KEY, typ="at+jwt")

    for path in (f"/tenant{METADATA}", f"{OAUTH_METADATA}/tenant"):
        server.answers[path] = metadata
        Verifier(issuer=issuer, audience=AUDIENCE, clock=clock).verify(raw_token)
        del server.answers[path]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda server: server.answers.clear(),
        lambda server: server.answers.update({METADATA: document({"issuer": "https://other.example.com"})}),
        lambda server: server.answers.update(
            {METADATA: document({"issuer": server.url + "/", "jwks_uri": server.url + KEYS})}
        ),
        lambda server: server.answers.update({METADATA: document({"issuer": server.url})}),
        lambda server: server.answers.update({METADATA: document({"issuer": server.url, "jwks_uri": 1})}),
        lambda server: server.answers.update(
            {METADATA: document({"issuer": server.url, "jwks_uri": "http://169.254.169.254/keys"})}
        ),
        lambda server: server.answers.update({KEYS: raw(b"<html>")}),
        lambda server: server.answers.update({KEYS: document({"keys": []})}),
        lambda server: server.answers.update({KEYS: document({"keys": [KEY.to_dict()]})}),
        lambda server: server.answers.update(
            {KEYS: raw(b"", status=302, headers={"Location": "http://169.254.169.254/"})}
        ),
    ],
    ids=[
        "404",
        "wrong issuer",
        "trailing slash",
        "no jwks_uri",
        "jwks_uri no string",
        "jwks_uri unprotected",
        "html",
        "no keys",
        "private key",
        "redirect",
    ],
)
def test_an_issuer_that_shows_no_keys_makes_them_unavailable(
    verifier: Verifier,
    server: LoopbackIssuer,
    token: Callable[..., str],
    break_it: Callable[[LoopbackIssuer], None],
) -> None:
    break_it(server)

    with pytest.raises(TokenRejected) as refused:
        verifier.verify(token())

    assert refused.value.code == "keys_unavailable"
    assert refused.value.status == 503


def test_a_failure_is_waited_off_without_asking_again(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    keys = server.answers.pop(KEYS)
    for _ in range(20):
        with pytest.raises(TokenRejected, match="keys_unavailable"):
            verifier.verify(token())
    assert server.key_fetches == 1

    server.answers[KEYS] = keys
    age.advance(1)

    assert verifier.verify(token()).subject == "alice"


def test_the_time_limits_leave_room_within_five_seconds() -> None:
    assert key_source.FETCH_LIMIT_S < key_source.WAIT_LIMIT_S < 5


def test_a_silent_issuer_is_given_up_on(
    server: LoopbackIssuer, token: Callable[..., str], clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_source, "FETCH_LIMIT_S", 0.2)
    monkeypatch.setattr(key_source, "WAIT_LIMIT_S", 10)
    server.answers[METADATA] = server.hang
    verifier = Verifier(issuer=server.url, audience=AUDIENCE, clock=clock)

    with pytest.raises(TokenRejected, match="did not answer in time"):
        verifier.verify(token())


async def test_whoever_waits_gives_up_although_the_fetch_is_stuck(
    server: LoopbackIssuer,
    token: Callable[..., str],
    clock: FixedClock,
    age: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_source, "WAIT_LIMIT_S", 0.2)
    server.answers[METADATA] = server.hang
    verifier = Verifier(issuer=server.url, audience=AUDIENCE, clock=clock, monotonic=age)

    with pytest.raises(TokenRejected, match="keys_unavailable"):
        verifier.verify(token())
    with pytest.raises(TokenRejected, match="keys_unavailable"):
        await verifier.averify(token())
    assert server.requests == [METADATA]

    # Once its time is over it counts as a failure, and a later one takes its place.
    server.publish(KEY)
    age.advance(0.2)
    with pytest.raises(TokenRejected, match="did not answer in time"):
        verifier.verify(token())
    monkeypatch.setattr(key_source, "WAIT_LIMIT_S", 10)
    age.advance(1)
    assert verifier.verify(token()).subject == "alice"


def test_a_crowd_of_cold_threads_makes_one_fetch(server: LoopbackIssuer, token: Callable[..., str]) -> None:
    arrivals = _Arrivals(server)
    verifier = Verifier(issuer=server.url, audience=AUDIENCE, clock=arrivals.clock)
    raw_token = token()

    with ThreadPoolExecutor(CROWD) as crowd:
        tokens = list(crowd.map(verifier.verify, [raw_token] * CROWD))

    assert [one.subject for one in tokens] == ["alice"] * CROWD
    assert server.requests == [METADATA, KEYS]


async def test_a_crowd_of_cold_tasks_makes_one_fetch(
    server: LoopbackIssuer, token: Callable[..., str]
) -> None:
    arrivals = _Arrivals(server)
    verifier = Verifier(issuer=server.url, audience=AUDIENCE, clock=arrivals.clock)
    raw_token = token()

    tokens = await asyncio.gather(*(verifier.averify(raw_token) for _ in range(CROWD)))

    assert [one.subject for one in tokens] == ["alice"] * CROWD
    assert server.requests == [METADATA, KEYS]


async def test_a_task_that_is_cancelled_while_it_waits_takes_nobody_with_it(
    server: LoopbackIssuer, token: Callable[..., str]
) -> None:
    arrivals = _Arrivals(server, crowd=2)
    verifier = Verifier(issuer=server.url, audience=AUDIENCE, clock=arrivals.clock)
    first = asyncio.create_task(verifier.averify(token()))
    await asyncio.to_thread(arrivals.asked.wait, 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    assert (await verifier.averify(token())).subject == "alice"
    assert server.requests == [METADATA, KEYS]


class _Arrivals:
    """Has the issuer answer only once the whole crowd has come as far as looking at the clock.

    Attributes:
        asked: set when the issuer has been asked.
    """

    def __init__(self, server: LoopbackIssuer, crowd: int = CROWD) -> None:
        self.asked = threading.Event()
        self._missing = crowd
        self._lock = threading.Lock()
        self._all_here = threading.Event()
        self._metadata = server.answers[METADATA]
        server.answers[METADATA] = self._answer

    def clock(self) -> float:
        with self._lock:
            self._missing -= 1
            if self._missing == 0:
                self._all_here.set()
        return FixedClock()()

    def _answer(self, request: Request) -> None:
        self.asked.set()
        assert self._all_here.wait(10)
        self._metadata(request)


def test_a_known_key_never_waits_for_the_network(
    verifier: Verifier,
    server: LoopbackIssuer,
    age: FixedClock,
    token: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_source, "WAIT_LIMIT_S", 30)
    verifier.verify(token())
    events, verified, asked = [], threading.Event(), threading.Event()
    metadata = server.answers[METADATA]

    def answer_late(request: Request) -> None:
        asked.set()
        verified.wait(10)
        events.append("answered")
        metadata(request)

    server.answers[METADATA] = answer_late
    age.advance(300)

    verifier.verify(token(jti="2"))
    events.append("verified")
    assert asked.wait(10)
    verified.set()
    _settle(verifier)
    assert events == ["verified", "answered"]
    assert server.key_fetches == 2


def test_a_token_from_the_cache_has_old_keys_refreshed_too(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    raw_token = token()
    verifier.verify(raw_token)
    age.advance(300)

    verifier.verify(raw_token)
    _settle(verifier)

    assert server.key_fetches == 2


def test_the_issuer_says_when_to_ask_again(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    server.publish(KEY, cache_control="max-age=3600")
    verifier.verify(token())

    age.advance(3599)
    verifier.verify(token())
    assert server.key_fetches == 1

    age.advance(1)
    verifier.verify(token())
    _settle(verifier)
    assert server.key_fetches == 2


def test_with_the_issuer_gone_an_api_goes_on_for_a_day(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    cached = token()
    verifier.verify(cached)
    server.answers.clear()

    for _ in range(23):
        age.advance(3600)
        assert verifier.verify(cached).subject == "alice"
        assert verifier.verify(token(jti=str(age()))).subject == "alice"
        _settle(verifier)

    age.advance(3600)
    for raw_token in (cached, token(jti="late")):
        with pytest.raises(TokenRejected, match="keys_unavailable"):
            verifier.verify(raw_token)


def test_a_flood_of_unknown_keys_costs_one_fetch_in_a_cool_down(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    verifier.verify(token())
    age.advance(30)

    for number in range(50):
        with pytest.raises(TokenRejected, match="unknown_key"):
            verifier.verify(token(Jwk.generate("ES256", kid=f"unknown-{number}")))

    assert server.key_fetches == 2


def test_a_new_key_of_the_issuer_is_found_when_a_token_names_it(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    verifier.verify(token())
    server.publish(KEY, NEXT_KEY)
    age.advance(30)

    assert verifier.verify(token(NEXT_KEY)).subject == "alice"
    assert server.key_fetches == 2


def test_within_the_cool_down_an_unknown_key_is_refused_at_once(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    verifier.verify(token())
    server.publish(KEY, NEXT_KEY)
    age.advance(29)

    with pytest.raises(TokenRejected, match="unknown_key"):
        verifier.verify(token(NEXT_KEY))
    assert server.key_fetches == 1


def test_whether_a_key_exists_cannot_be_told_while_the_issuer_is_gone(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    verifier.verify(token())
    server.answers.clear()
    age.advance(30)

    with pytest.raises(TokenRejected, match="keys_unavailable"):
        verifier.verify(token(UNPUBLISHED))
    assert verifier.verify(token(jti="2")).jti == "2"


def test_a_key_that_disappears_takes_its_tokens_with_it(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    cached = token()
    verifier.verify(cached)
    server.publish(NEXT_KEY)
    age.advance(300)
    verifier.verify(cached)  # the last one with the old keys; new ones are on their way
    _settle(verifier)

    with pytest.raises(TokenRejected, match="unknown_key"):
        verifier.verify(cached)


def test_no_token_of_a_refused_algorithm_makes_us_ask(verifier: Verifier, server: LoopbackIssuer) -> None:
    # {"alg":"none"}.{}
    with pytest.raises(TokenRejected, match="bad_signature"):
        verifier.verify("eyJhbGciOiJub25lIn0.e30.")
    assert server.requests == []


def test_a_flapping_issuer_never_costs_the_keys_that_are_held(
    verifier: Verifier, server: LoopbackIssuer, age: FixedClock, token: Callable[..., str]
) -> None:
    verifier.verify(token())
    good = server.answers[KEYS]

    for number in range(10):
        server.answers[KEYS] = good if number % 2 else raw(b"<html>", status=502)
        age.advance(400)
        assert verifier.verify(token(jti=str(number))).jti == str(number)
        _settle(verifier)
