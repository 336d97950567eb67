"""What is known of an issuer's keys at one moment, and when to ask again. Pure.

    keys            age                  what to do
    --------------  -------------------  -----------------------------------------------------------------
    none            -                    fetch and wait; refuse at once while a failure is being waited off
    held            before soft_until    use them
    held            before hard_until    use them, and fetch in the background when may_fetch
    held            from hard_until on   as none
    key not there   any                  fetch and wait when may_fetch, else refuse

A fetch that succeeds replaces the set as a whole and opens a cool-down; one that fails leaves it as it is and opens
a wait that doubles with each failure in a row. Ages are seconds of a monotonic clock.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

from mapae.jose.jwks import JwkSet

DEFAULT_SOFT_LIFE_S: Final = 300
HARD_LIFE_S: Final = 24 * 3600
COOL_DOWN_S: Final = 30
LONGEST_WAIT_S: Final = 60

_SHORTEST_SOFT_LIFE_S: Final = 60
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class KeyCache:
    """A snapshot; the next one takes its place as a whole.

    Attributes:
        keys: the set last fetched.
        soft_until: from here on it is worth asking again.
        hard_until: from here on `keys` are not to be used.
        next_fetch_at: before this nothing is fetched.
        failures: how many fetches in a row have failed.
        problem: why the last one did.
    """

    keys: JwkSet | None = None
    soft_until: float = _NEVER
    hard_until: float = _NEVER
    next_fetch_at: float = _NEVER
    failures: int = 0
    problem: str = ""

    def usable(self, now: float) -> JwkSet | None:
        """The keys to verify with."""
        return self.keys if now < self.hard_until else None

    def may_fetch(self, now: float) -> bool:
        """Whether neither a cool-down nor the wait after a failure is on."""
        return now >= self.next_fetch_at

    def fetched(self, keys: JwkSet, max_age_s: int | None, now: float) -> Self:
        """After a fetch that brought `keys`, which the issuer lets us keep for `max_age_s`."""
        soft_life = DEFAULT_SOFT_LIFE_S if max_age_s is None else max(max_age_s, _SHORTEST_SOFT_LIFE_S)
        # The same keys stay the same object: what was verified with them stays verified.
        unchanged = self.keys is not None and self.keys.to_dict() == keys.to_dict()
        return type(self)(
            keys=self.keys if unchanged else keys,
            soft_until=now + min(soft_life, HARD_LIFE_S),
            hard_until=now + HARD_LIFE_S,
            next_fetch_at=now + COOL_DOWN_S,
        )

    def failed(self, problem: str, now: float) -> Self:
        """After a fetch that failed."""
        wait = min(2**self.failures, LONGEST_WAIT_S)
        return replace(self, next_fetch_at=now + wait, failures=min(self.failures + 1, 16), problem=problem)
