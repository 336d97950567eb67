"""The key cache: the table of its module, row by row and second by second."""

import pytest

from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.verifier.key_cache import COOL_DOWN_S, DEFAULT_SOFT_LIFE_S, HARD_LIFE_S, LONGEST_WAIT_S, KeyCache

NOW = 1000.0
ONE, OTHER = (JwkSet([Jwk.generate("ES256").public()]) for _ in range(2))


def test_a_new_cache_has_no_keys_and_may_fetch() -> None:
    assert KeyCache().usable(NOW) is None
    assert KeyCache().may_fetch(NOW)


@pytest.mark.parametrize(
    ("max_age_s", "soft_life_s"),
    [
        (None, DEFAULT_SOFT_LIFE_S),
        (0, 60),
        (59, 60),
        (60, 60),
        (61, 61),
        (HARD_LIFE_S, HARD_LIFE_S),
        (HARD_LIFE_S + 1, HARD_LIFE_S),
    ],
)
def test_the_issuer_says_how_long_keys_are_fresh_within_bounds(
    max_age_s: int | None, soft_life_s: float
) -> None:
    assert KeyCache().fetched(ONE, max_age_s, NOW).soft_until == NOW + soft_life_s


@pytest.mark.parametrize(("age_s", "usable"), [(0, True), (HARD_LIFE_S - 1, True), (HARD_LIFE_S, False)])
def test_keys_are_usable_for_their_hard_life(age_s: float, usable: bool) -> None:
    cache = KeyCache().fetched(ONE, None, NOW)

    assert cache.usable(NOW + age_s) is (ONE if usable else None)


@pytest.mark.parametrize(("age_s", "may_fetch"), [(0, False), (COOL_DOWN_S - 1, False), (COOL_DOWN_S, True)])
def test_a_fetch_opens_a_cool_down(age_s: float, may_fetch: bool) -> None:
    assert KeyCache().fetched(ONE, None, NOW).may_fetch(NOW + age_s) is may_fetch


def test_failures_in_a_row_are_waited_off_longer_and_longer() -> None:
    cache, waits = KeyCache(), []
    for _ in range(20):
        cache = cache.failed("no answer", NOW)
        waits.append(cache.next_fetch_at - NOW)

    assert waits[:8] == [1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S


def test_a_failure_leaves_the_keys_and_their_ages_as_they_are() -> None:
    cache = KeyCache().fetched(ONE, None, NOW)
    failed = cache.failed("no answer", NOW + 400)

    assert failed.keys is ONE
    assert (failed.soft_until, failed.hard_until) == (cache.soft_until, cache.hard_until)
    assert failed.problem == "no answer"


def test_a_success_forgets_the_failures() -> None:
    cache = KeyCache().failed("no answer", NOW).failed("no answer", NOW).fetched(ONE, None, NOW)

    assert (cache.failures, cache.problem) == (0, "")


def test_new_keys_replace_the_old_ones_and_are_not_merged() -> None:
    cache = KeyCache().fetched(ONE, None, NOW).fetched(OTHER, None, NOW + 60)

    assert cache.usable(NOW + 60) is OTHER


def test_the_same_keys_stay_the_same_object() -> None:
    again = JwkSet.parse(ONE.to_dict())

    assert KeyCache().fetched(ONE, None, NOW).fetched(again, None, NOW + 60).keys is ONE
