"""A clock for tests: it moves when told to."""


class FixedClock:
    """A `mapae.clock.Clock`. `now` is in seconds and may be set."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += seconds
