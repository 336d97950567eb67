"""The key ring: the tables of domain/keys row by row, each at its boundary second."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapae.server.domain.keys import (
    NOTHING,
    REFRESH_ALGORITHM,
    SEEN_S,
    Change,
    Key,
    KeyState,
    Lives,
    inherits_refresh_key,
    keep_up,
    let_go,
    revoke,
    rotate,
    rotate_now,
    signing_key,
)

NOW = 1_700_000_000
LIVES = Lives(rotation_s=10_000, ahead_s=420, linger_s=540)
LONG_AGO = NOW - 5_000

ACTIVE = Key("active", "ES256", "database", {}, b"", LONG_AGO, signs_from=LONG_AGO)
BEFORE = replace(ACTIVE, signs_until=NOW + 100, gone_at=NOW + 640)
UPCOMING = Key("upcoming", "ES256", "database", {}, b"", NOW - 320, signs_from=NOW + 100)


def succeeded(key: Key, at: int) -> Key:
    return replace(key, signs_until=at, gone_at=at + LIVES.linger_s)


def revoked(key: Key) -> Key:
    return replace(key, signs_until=NOW, gone_at=NOW, revoked_at=NOW)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (NOW + 99, KeyState.UPCOMING),
        (NOW + 100, KeyState.ACTIVE),
        (NOW + 199, KeyState.ACTIVE),
        (NOW + 200, KeyState.RETIRING),
        (NOW + 739, KeyState.RETIRING),
        (NOW + 740, KeyState.GONE),
    ],
)
def test_the_moments_say_what_a_key_is(at: int, state: KeyState) -> None:
    key = succeeded(UPCOMING, NOW + 200)
    assert key.state(at) is state
    assert key.is_live(at) is (state is not KeyState.GONE)
    assert replace(key, revoked_at=NOW).state(at) is KeyState.REVOKED
    assert not replace(key, revoked_at=NOW).is_live(at)


def test_the_last_key_of_a_line_signs_without_end() -> None:
    assert ACTIVE.state(NOW + 10**9) is KeyState.ACTIVE


@pytest.mark.parametrize(("at", "kid"), [(NOW + 99, "active"), (NOW + 100, "upcoming")])
def test_one_key_takes_over_from_the_other_at_one_second(at: int, kid: str) -> None:
    key = signing_key([BEFORE, UPCOMING], "ES256", at)
    assert key is not None
    assert key.kid == kid


def test_no_key_of_another_algorithm_signs() -> None:
    assert signing_key([ACTIVE], "RS256", NOW) is None


@pytest.mark.parametrize(
    ("keys", "signs_from"),
    [
        ([], NOW),
        ([replace(ACTIVE, created_at=NOW - SEEN_S)], NOW),
        ([replace(ACTIVE, created_at=NOW - SEEN_S - 1)], NOW + 420),
        ([replace(ACTIVE, algorithm=REFRESH_ALGORITHM)], NOW),
    ],
    ids=["nothing at all", "others just now", "others for longer", "only refresh keys"],
)
def test_a_first_key_signs_at_once_where_nobody_has_a_key_set(keys: list[Key], signs_from: int) -> None:
    assert keep_up(keys, "RS256", now=NOW, lives=LIVES) == Change(new_signs_from=signs_from)
    assert rotate(keys, "RS256", now=NOW, lives=LIVES) == Change(new_signs_from=signs_from)
    assert rotate_now(keys, "RS256", now=NOW, lives=LIVES) == Change(new_signs_from=NOW + SEEN_S)


def test_the_first_refresh_key_is_used_at_once() -> None:
    assert keep_up([ACTIVE], REFRESH_ALGORITHM, now=NOW, lives=LIVES) == Change(new_signs_from=NOW)


@pytest.mark.parametrize(
    ("keys", "inherits"),
    [
        ([], False),
        ([replace(ACTIVE, created_at=NOW - SEEN_S)], False),
        ([replace(ACTIVE, created_at=NOW - SEEN_S - 1)], True),
        ([ACTIVE, replace(ACTIVE, algorithm=REFRESH_ALGORITHM)], False),
    ],
    ids=["nothing at all", "a new installation", "an older version", "refresh keys are there"],
)
def test_only_where_an_older_version_was_at_work_its_refresh_key_goes_on(
    keys: list[Key], inherits: bool
) -> None:
    assert inherits_refresh_key(keys, NOW) is inherits


def test_the_next_key_is_made_so_early_that_it_is_known_before_it_signs() -> None:
    end = ACTIVE.signs_from + LIVES.rotation_s
    assert keep_up([ACTIVE], "ES256", now=end - 421, lives=LIVES) == NOTHING
    in_time = keep_up([ACTIVE], "ES256", now=end - 420, lives=LIVES)
    assert in_time == Change((succeeded(ACTIVE, end),), end)
    late = keep_up([ACTIVE], "ES256", now=end + 1000, lives=LIVES)
    assert late == Change((succeeded(ACTIVE, end + 1420),), end + 1420)


def test_while_a_key_is_upcoming_no_other_is_made() -> None:
    keys = [BEFORE, replace(UPCOMING, signs_from=NOW + 1)]
    for decide in (keep_up, rotate):
        assert decide(keys, "ES256", now=NOW, lives=replace(LIVES, rotation_s=1)) == NOTHING
    assert rotate([BEFORE, replace(UPCOMING, signs_from=NOW)], "ES256", now=NOW, lives=LIVES) != NOTHING


def test_a_line_that_nobody_asks_for_ends() -> None:
    assert let_go([ACTIVE], "ES256", now=NOW, lives=LIVES) == Change((succeeded(ACTIVE, NOW),))
    assert let_go([succeeded(ACTIVE, NOW)], "ES256", now=NOW, lives=LIVES) == NOTHING
    upcoming = replace(UPCOMING, signs_from=NOW + 1)
    assert let_go([BEFORE, upcoming], "ES256", now=NOW, lives=LIVES) == NOTHING
    upcoming = replace(UPCOMING, signs_from=NOW)
    assert let_go([upcoming], "ES256", now=NOW, lives=LIVES) == Change((succeeded(upcoming, NOW),))


def test_rotate_publishes_before_it_signs() -> None:
    assert rotate([ACTIVE], "ES256", now=NOW, lives=LIVES) == Change(
        (succeeded(ACTIVE, NOW + 420),), NOW + 420
    )


def test_rotate_now_waits_for_the_processes_only() -> None:
    at = NOW + SEEN_S
    assert rotate_now([ACTIVE], "ES256", now=NOW, lives=LIVES) == Change((succeeded(ACTIVE, at),), at)


@pytest.mark.parametrize("signs_from", [NOW + SEEN_S + 1, NOW + 100])
def test_rotate_now_brings_the_upcoming_key_forward(signs_from: int) -> None:
    before, upcoming = succeeded(ACTIVE, signs_from), replace(UPCOMING, signs_from=signs_from)
    at = NOW + SEEN_S
    assert rotate_now([before, upcoming], "ES256", now=NOW, lives=LIVES) == Change(
        (succeeded(before, at), replace(upcoming, signs_from=at))
    )


def test_rotate_now_leaves_a_key_alone_that_signs_as_soon() -> None:
    before, upcoming = succeeded(ACTIVE, NOW + SEEN_S), replace(UPCOMING, signs_from=NOW + SEEN_S)
    assert rotate_now([before, upcoming], "ES256", now=NOW, lives=LIVES) == NOTHING


def test_revoking_the_active_key_lets_another_sign_at_once() -> None:
    assert revoke([ACTIVE], ACTIVE, now=NOW, lives=LIVES) == Change((revoked(ACTIVE),), NOW)
    assert revoke([BEFORE, UPCOMING], BEFORE, now=NOW, lives=LIVES) == Change(
        (revoked(BEFORE), replace(UPCOMING, signs_from=NOW))
    )


def test_revoking_the_upcoming_key_lets_the_one_before_go_on() -> None:
    assert revoke([BEFORE, UPCOMING], UPCOMING, now=NOW, lives=LIVES) == Change((revoked(UPCOMING), ACTIVE))
    assert revoke([UPCOMING], UPCOMING, now=NOW, lives=LIVES) == Change((revoked(UPCOMING),), NOW + 420)


def test_revoking_a_retiring_key_changes_no_other() -> None:
    retiring = succeeded(ACTIVE, NOW)
    last = replace(UPCOMING, signs_from=NOW)
    assert revoke([retiring, last], retiring, now=NOW, lives=LIVES) == Change((revoked(retiring),))
    assert revoke([retiring, last], last, now=NOW, lives=LIVES) == Change((revoked(last),), NOW)


@pytest.mark.parametrize("over", [revoked(ACTIVE), succeeded(ACTIVE, NOW - 540)])
def test_revoking_what_is_over_changes_nothing(over: Key) -> None:
    assert revoke([over], over, now=NOW, lives=LIVES) == NOTHING


@given(
    st.lists(st.tuples(st.sampled_from("kskrnvuv"), st.integers(1, 1500)), min_size=1, max_size=40),
)
def test_whatever_operators_do_there_is_one_key_that_signs_and_one_last_key(
    steps: list[tuple[str, int]],
) -> None:
    lives = Lives(rotation_s=1000, ahead_s=420, linger_s=540)
    keys: dict[str, Key] = {}
    now = NOW
    for number, (step, pause) in enumerate([("k", 0), *steps]):
        now += pause
        change = _step(step, list(keys.values()), now, lives)
        before = signing_key(list(keys.values()), "ES256", now)
        keys |= {key.kid: key for key in change.saved}
        if change.new_signs_from is not None:
            kid = f"key-{number}"
            keys[kid] = Key(kid, "ES256", "database", {}, b"", now, change.new_signs_from)
        line = list(keys.values())
        after = signing_key(line, "ES256", now)
        assert after is not None
        assert sum(key.state(now) is KeyState.ACTIVE for key in line) == 1
        assert sum(key.signs_until is None for key in line) == 1
        if step in "kr" and before is not None:
            assert after.kid == before.kid, "without need no key signs that was not known for ahead_s"


def _step(step: str, keys: list[Key], now: int, lives: Lives) -> Change:
    live = [key for key in keys if key.is_live(now)]
    match step:
        case "r":
            return rotate(keys, "ES256", now=now, lives=lives)
        case "n":
            return rotate_now(keys, "ES256", now=now, lives=lives)
        case "v":
            return revoke(keys, live[0], now=now, lives=lives)
        case "u":
            return revoke(keys, live[-1], now=now, lives=lives)
        case _:
            return keep_up(keys, "ES256", now=now, lives=lives)
