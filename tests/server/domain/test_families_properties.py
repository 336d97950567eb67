"""The refresh rule against models of honest clients and thieves: lost answers, parallel processes, stolen stores.

The clock moves in steps around GRACE, where the rule changes its mind.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mapae.server.domain.families import (
    MAX_SCORE,
    Binder,
    BinderKind,
    Decision,
    Ended,
    Family,
    Presented,
    RefreshPolicy,
    Refused,
    Replayed,
    Turned,
    spend,
)
from mapae.server.domain.sessions import EndReason

GRACE = 10
POLICY = RefreshPolicy(grace_s=GRACE, idle_s=10**9)
OURS, THEIRS = b"o" * 32, b"t" * 32
pauses = st.sampled_from([0, 1, GRACE - 1, GRACE, GRACE + 1, 2 * GRACE - 1, 2 * GRACE, 300])


@dataclass
class Row:
    """The family as the server keeps it, and the clock it is judged by."""

    family: Family
    now: int = 1_700_000_000
    answers: list[int] = field(default_factory=list)

    @classmethod
    def made(cls, binder: Binder) -> "Row":
        return cls(Family("f", "s", "mapae", True, binder, "aud", "", 10**11, 1_700_000_000, 1_700_000_000))

    def present(self, turn: int, **facts: Any) -> Decision:
        decision = spend(self.family, Presented(turn, "mapae", **facts), now=self.now, policy=POLICY)
        before, self.family = self.family, decision.family
        if isinstance(decision, Turned | Replayed):
            # Whatever happens there is one branch: every answer is the token of the family's only turn.
            assert self.family.turn in (before.turn, before.turn + 1, turn, turn + 1)
            self.answers.append(self.family.turn)
        return decision


class HonestClient(RuleBasedStateMachine):
    """One client with a binder: processes that share a store, any answer may be lost. It is never ended."""

    def __init__(self) -> None:
        super().__init__()
        self.row = Row.made(Binder(BinderKind.INSTANCE, OURS))
        self.kept = 0
        self.under_way: list[tuple[int, int]] = []
        self.uses_attempts = False

    @initialize(uses_attempts=st.booleans())
    def begin(self, uses_attempts: bool) -> None:
        self.uses_attempts = uses_attempts

    @rule(pause=pauses)
    def time_passes(self, pause: int) -> None:
        # A process that stalls longer than GRACE between reading its store and sending is a known limit.
        assume(not self.under_way or self.row.now + pause - self.under_way[0][1] <= GRACE)
        self.row.now += pause

    @precondition(lambda self: len(self.under_way) < 4)
    @rule()
    def a_process_reads_the_store_and_is_about_to_send(self) -> None:
        self.under_way.append((self.kept, self.row.now))

    @precondition(lambda self: self.under_way)
    @rule(lost=st.booleans())
    def a_request_arrives(self, lost: bool) -> None:
        # More late turns in a row than the score has room for are a known limit, too.
        assume(not lost or self.row.family.score < MAX_SCORE - 1)
        turn, _ = self.under_way.pop(0)
        attempt = b"%032d" % turn if self.uses_attempts else None
        decision = self.row.present(turn, instance_digest=OURS, attempt_digest=attempt)
        assert isinstance(decision, Turned | Replayed)
        if not lost:
            self.kept = max(self.kept, decision.family.turn)

    @invariant()
    def the_client_is_at_most_one_turn_behind_and_alive(self) -> None:
        assert self.row.family.ending is None
        assert self.row.family.turn - self.kept in (0, 1)

    @precondition(lambda self: self.row.family.turn > 0 and not self.under_way)
    @rule(turn_back=st.integers(0, 5), instance=st.sampled_from([None, THEIRS]))
    def a_thief_without_the_binder_gets_nothing(self, turn_back: int, instance: bytes | None) -> None:
        before = self.row.family
        turn = max(0, before.turn - turn_back)
        decision = self.row.present(turn, instance_digest=instance)
        assert isinstance(decision, Refused | Ended)
        if isinstance(decision, Ended):
            assert decision.ending.reason is EndReason.REPLAYED
        # Judged on its own: the client's story goes on as if the thief had not come.
        self.row.family = before


TestHonestClient = HonestClient.TestCase
TestHonestClient.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

late_pauses = st.lists(st.integers(GRACE + 1, 5000), min_size=40, max_size=40)


@given(pauses=late_pauses, stolen_at=st.integers(0, 3))
def test_a_thief_with_token_and_binder_shadows_the_client_for_as_many_turns_as_the_score_allows(
    pauses: list[int], stolen_at: int
) -> None:
    row = Row.made(Binder(BinderKind.INSTANCE, OURS))
    row.family = row.family._replace(turn=stolen_at)
    shadowed = 0
    for round_ in range(20):
        turn = row.family.turn
        row.now += 2 * GRACE + pauses[2 * round_]
        first = row.present(turn, instance_digest=OURS)
        assert isinstance(first, Turned), "the first of the two, whoever it is, turns the family"
        row.now += pauses[2 * round_ + 1]
        second = row.present(turn, instance_digest=OURS)
        if isinstance(second, Ended):
            assert second.ending.reason is EndReason.REPLAYED
            assert shadowed == MAX_SCORE
            return
        shadowed += 1
    raise AssertionError(f"shadowed for {shadowed} turns")


@given(first_is_thief=st.booleans(), pause=pauses, stolen_at=st.integers(0, 3))
def test_with_attempt_values_a_clone_is_noticed_at_the_first_turn_after_the_copy(
    first_is_thief: bool, pause: int, stolen_at: int
) -> None:
    row = Row.made(Binder(BinderKind.INSTANCE, OURS))
    for turn in range(stolen_at):
        row.now += 300
        row.present(turn, instance_digest=OURS, attempt_digest=b"%032d" % turn)
    row.now += 300
    order = ["thief", "client"] if first_is_thief else ["client", "thief"]
    attempts = {"client": b"c" * 32, "thief": b"x" * 32}
    first = row.present(stolen_at, instance_digest=OURS, attempt_digest=attempts[order[0]])
    assert isinstance(first, Turned)
    row.now += pause
    second = row.present(stolen_at, instance_digest=OURS, attempt_digest=attempts[order[1]])
    assert isinstance(second, Ended)
    assert second.ending.reason is EndReason.REPLAYED


@given(pause=pauses, rounds=st.integers(1, 30))
def test_a_thief_who_replays_the_previous_token_before_each_refresh_cannot_freeze_the_turn(
    pause: int, rounds: int
) -> None:
    row = Row.made(Binder(BinderKind.INSTANCE, OURS))
    kept = 0
    for _ in range(rounds):
        row.now += max(pause, 2 * GRACE)
        if row.family.turn:
            row.present(row.family.turn - 1, instance_digest=OURS)
        decision = row.present(kept, instance_digest=OURS)
        if isinstance(decision, Ended):
            return
        assert isinstance(decision, Turned | Replayed)
        kept = row.family.turn
        # Once the client has shown its token the turn is known, and no replay can put off the next one.
        row.now += 2 * GRACE
        row.present(max(0, row.family.turn - 1), instance_digest=OURS)
        again = row.present(kept, instance_digest=OURS)
        if isinstance(again, Ended):
            return
        assert isinstance(decision, Turned) or isinstance(again, Turned)
        kept = row.family.turn
