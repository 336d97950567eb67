"""The cache of verified tokens: bounded, and what is used stays."""

import pytest

from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet
from mapae.testing import FixedClock, Issuer
from mapae.verifier.token_cache import TokenCache

ISSUER = Issuer(audience="https://api.example.com", clock=FixedClock())
TOKEN = ISSUER.verifier().verify(ISSUER.token())
KEYS, OTHER_KEYS = (JwkSet([Jwk.generate("ES256").public()]) for _ in range(2))


@pytest.mark.parametrize(("now", "found"), [(0, True), (99, True), (99.5, True), (100, False)])
def test_an_entry_lives_until_its_token_dies(now: float, found: bool) -> None:
    cache = TokenCache(2)
    cache.add("a", TOKEN, KEYS, 100)

    assert (cache.find("a", KEYS, now) is TOKEN) is found


def test_an_entry_is_good_for_the_keys_it_was_made_with_only() -> None:
    cache = TokenCache(2)
    cache.add("a", TOKEN, KEYS, 100)

    assert cache.find("a", OTHER_KEYS, 0) is None
    assert cache.find("a", None, 0) is None


def test_the_whole_token_is_the_key() -> None:
    cache = TokenCache(2)
    cache.add("abc", TOKEN, KEYS, 100)

    assert cache.find("ab", KEYS, 0) is None
    assert cache.find("abcd", KEYS, 0) is None


def test_the_cache_stays_within_twice_its_size() -> None:
    cache = TokenCache(10)
    for number in range(1000):
        cache.add(str(number), TOKEN, KEYS, 100)

    held = [number for number in range(1000) if cache.find(str(number), KEYS, 0)]
    assert 10 <= len(held) <= 20
    assert held[-1] == 999


def test_a_token_in_use_is_never_dropped() -> None:
    cache = TokenCache(10)
    cache.add("in use", TOKEN, KEYS, 100)

    for number in range(1000):
        cache.add(str(number), TOKEN, KEYS, 100)
        assert cache.find("in use", KEYS, 0) is TOKEN


def test_size_0_keeps_nothing() -> None:
    cache = TokenCache(0)
    cache.add("a", TOKEN, KEYS, 100)

    assert cache.find("a", KEYS, 0) is None
