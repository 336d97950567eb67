"""Whether a token is good enough still: by its margin, by the server's clock, and by two of ours."""

from dataclasses import dataclass
from typing import Final

from mapae.client.records import Tokens

MARGIN_S: Final = 30
#: A token that has more life left than when it came says that our clock was set back.
CLOCK_TOLERANCE_S: Final = 60


def remaining_s(tokens: Tokens, now: float) -> float:
    """Seconds the access token has left at `now`, our clock corrected by the server's; 0 when over."""
    left = tokens.expires_at - (now + tokens.skew_s)
    if left > tokens.life_s + CLOCK_TOLERANCE_S:
        return 0.0
    return max(left, 0.0)


def needed_s(tokens: Tokens, min_life_s: float) -> float:
    """Seconds the access token must have left, and more, to need no renewal yet.

    `min_life_s` and a margin: the larger of 30 s and a tenth of its life, but at most half of its life, so that a
    very short-lived token is not renewed at every use.
    """
    margin = min(max(MARGIN_S, tokens.life_s / 10), tokens.life_s / 2)
    return max(margin, min_life_s)


def good_enough(tokens: Tokens, min_life_s: float, now: float) -> bool:
    """Whether the access token needs no renewal yet, by the wall clock."""
    return remaining_s(tokens, now) > needed_s(tokens, min_life_s)


@dataclass(frozen=True, slots=True)
class Held:
    """Tokens in memory. Two clocks must agree that the access token lives.

    The wall clock is set back now and then, the monotonic one stands still while the machine sleeps.

    Attributes:
        over_at: when the access token is over, by the monotonic clock.
    """

    tokens: Tokens
    over_at: float

    def remaining_s(self, now: float, monotonic: float) -> float:
        """Seconds the access token has left; 0 when over."""
        return min(remaining_s(self.tokens, now), max(self.over_at - monotonic, 0.0))

    def good_enough(self, min_life_s: float, now: float, monotonic: float) -> bool:
        """Whether the access token needs no renewal yet."""
        return self.remaining_s(now, monotonic) > needed_s(self.tokens, min_life_s)
