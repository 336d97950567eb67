"""The table of domain/families, row by row, and the boundary seconds of its time rules."""

from dataclasses import replace

import pytest

from mapae.server.domain.families import (
    MAX_LATE_REPLAYS,
    MAX_SCORE,
    Binder,
    BinderKind,
    Ended,
    Family,
    Presented,
    RefreshPolicy,
    RefusalCode,
    Refused,
    Replayed,
    Report,
    Turned,
    log_out,
    spend,
    spend_for,
    vouch,
)
from mapae.server.domain.sessions import Ending, EndReason

GRACE = 10
IDLE = 1_000_000
POLICY = RefreshPolicy(grace_s=GRACE, idle_s=IDLE)
NOW = 1_700_000_000
OURS, THEIRS = b"o" * 32, b"t" * 32
INSTANCE = Binder(BinderKind.INSTANCE, OURS)
CLIENT = Binder(BinderKind.CLIENT)
DPOP = Binder(BinderKind.DPOP, OURS)
NONE = Binder()
#: Bound one way or the other, and a request that fits each.
MATCHING = [
    pytest.param(INSTANCE, {"instance_digest": OURS}, id="instance"),
    pytest.param(CLIENT, {}, id="client"),
    pytest.param(DPOP, {"dpop_digest": OURS}, id="dpop"),
]
MATCHING_OR_NONE = [*MATCHING, pytest.param(NONE, {}, id="none")]


def family(binder: Binder = INSTANCE, **changes: object) -> Family:
    made = Family(
        id="f" * 12,
        session_id="s" * 12,
        client_id="mapae",
        first_party=True,
        binder=binder,
        audience="https://api.example.com",
        scope="orders:read",
        expires_at=NOW + 10 * IDLE,
        used_at=NOW - 100,
        auth_time=NOW - 200,
        turn=5,
        handed_out_at=NOW - 1000,
    )
    return made._replace(**changes)  # type: ignore[arg-type]


def presented(turn: int, **facts: bytes | None) -> Presented:
    return Presented(turn=turn, client_id="mapae", address="192.0.2.1", user_agent="test", **facts)


def theft(kept: Family) -> Ended:
    ending = Ending(EndReason.REPLAYED, NOW)
    return Ended(kept._replace(ending=ending), ending, (Report.THEFT,))


@pytest.mark.parametrize("turn", [0, 4, 5, 6])
def test_row_1_an_ended_family_says_why_it_ended(turn: int) -> None:
    ending = Ending(EndReason.PASSWORD_CHANGED, NOW - 5)
    kept = family(ending=ending)
    assert spend(kept, presented(turn), now=NOW, policy=POLICY) == Ended(kept, ending)


@pytest.mark.parametrize(
    ("expires_at", "used_at", "ending"),
    [
        pytest.param(NOW, NOW - 1, Ending(EndReason.EXPIRED, NOW), id="the second of the absolute end"),
        pytest.param(NOW - 7, NOW - 1, Ending(EndReason.EXPIRED, NOW - 7), id="past the absolute end"),
        pytest.param(NOW + 1, NOW - IDLE, Ending(EndReason.IDLE, NOW), id="the second of the idle end"),
        pytest.param(NOW + 1, NOW - IDLE - 3, Ending(EndReason.IDLE, NOW - 3), id="past the idle end"),
        pytest.param(NOW - 1, NOW - IDLE - 3, Ending(EndReason.IDLE, NOW - 3), id="idle came first"),
        pytest.param(NOW - 3, NOW - IDLE - 1, Ending(EndReason.EXPIRED, NOW - 3), id="expired came first"),
    ],
)
def test_row_2_a_family_past_its_end_is_over(expires_at: int, used_at: int, ending: Ending) -> None:
    kept = family(expires_at=expires_at, used_at=used_at)
    decision = spend(kept, presented(5, instance_digest=OURS), now=NOW, policy=POLICY)
    assert decision == Ended(kept._replace(ending=ending), ending)


def test_row_2_a_second_before_both_ends_the_family_lives() -> None:
    kept = family(expires_at=NOW + 1, used_at=NOW - IDLE + 1)
    assert isinstance(spend(kept, presented(5, instance_digest=OURS), now=NOW, policy=POLICY), Turned)


@pytest.mark.parametrize("turn", [3, 4, 5, 6])
def test_row_3_the_token_of_another_client_buys_nothing_and_ends_nothing(turn: int) -> None:
    kept = family()
    decision = spend(
        kept, replace(presented(turn, instance_digest=OURS), client_id="other"), now=NOW, policy=POLICY
    )
    assert decision == Refused(kept, RefusalCode.INVALID_GRANT, (Report.OTHER_CLIENT,))


@pytest.mark.parametrize("turn", [3, 4, 5, 6])
@pytest.mark.parametrize("proof", [None, THEIRS])
def test_row_4_dpop_without_the_right_proof_buys_nothing_and_ends_nothing(
    turn: int, proof: bytes | None
) -> None:
    kept = family(DPOP)
    decision = spend(kept, presented(turn, dpop_digest=proof), now=NOW, policy=POLICY)
    assert decision == Refused(kept, RefusalCode.INVALID_DPOP_PROOF, (Report.DPOP_MISMATCH,))


@pytest.mark.parametrize("instance", [None, THEIRS])
@pytest.mark.parametrize("turn", [0, 3])
def test_row_5_an_old_token_from_elsewhere_ends_nothing(turn: int, instance: bytes | None) -> None:
    kept = family()
    decision = spend(kept, presented(turn, instance_digest=instance), now=NOW, policy=POLICY)
    assert decision == Refused(kept, RefusalCode.INVALID_GRANT, (Report.OLD_TOKEN_ELSEWHERE,))


@pytest.mark.parametrize("instance", [None, THEIRS])
@pytest.mark.parametrize("turn", [4, 5, 6])
@pytest.mark.parametrize("handed_out_at", [NOW, NOW - 1000])
def test_row_6_a_usable_token_from_elsewhere_is_theft(
    turn: int, instance: bytes | None, handed_out_at: int
) -> None:
    kept = family(handed_out_at=handed_out_at)
    assert spend(kept, presented(turn, instance_digest=instance), now=NOW, policy=POLICY) == theft(kept)


@pytest.mark.parametrize(("binder", "facts"), MATCHING)
def test_row_7_a_turn_the_database_forgot_is_believed_from_the_bound_client(
    binder: Binder, facts: dict[str, bytes]
) -> None:
    decision = spend(family(binder), presented(8, **facts), now=NOW, policy=POLICY)
    assert isinstance(decision, Turned)
    assert decision.family.turn == 9
    assert decision.reports == (Report.FORGOTTEN_TURN,)


def test_row_8_a_turn_nobody_remembers_is_refused_where_nothing_binds() -> None:
    kept = family(NONE)
    decision = spend(kept, presented(6), now=NOW, policy=POLICY)
    assert decision == Refused(kept, RefusalCode.KEY_LOST, (Report.UNKNOWN_TURN,))


@pytest.mark.parametrize(("binder", "facts"), MATCHING_OR_NONE)
@pytest.mark.parametrize("known", [False, True])
def test_row_9_soon_after_a_turn_its_token_is_answered_again(
    binder: Binder, facts: dict[str, bytes], known: bool
) -> None:
    kept = family(binder, handed_out_at=NOW - 2 * GRACE + 1, known=known)
    decision = spend(kept, presented(5, **facts), now=NOW, policy=POLICY)
    assert decision == Replayed(kept._replace(known=True))


@pytest.mark.parametrize(("binder", "facts"), MATCHING_OR_NONE)
def test_row_10_the_current_token_turns_the_family(binder: Binder, facts: dict[str, bytes]) -> None:
    kept = family(binder, handed_out_at=NOW - 2 * GRACE, known=True, late=True, late_replays=3, score=2)
    decision = spend(kept, presented(5, attempt_digest=b"a" * 32, **facts), now=NOW, policy=POLICY)
    assert decision == Turned(
        kept._replace(
            turn=6,
            handed_out_at=NOW,
            used_at=NOW,
            known=False,
            late=False,
            late_replays=0,
            uses_attempts=True,
            attempt_digest=b"a" * 32,
            address="192.0.2.1",
            user_agent="test",
        )
    )


def test_row_10_the_first_turn_comes_at_once() -> None:
    kept = family(turn=0, handed_out_at=NOW)
    assert isinstance(spend(kept, presented(0, instance_digest=OURS), now=NOW, policy=POLICY), Turned)


@pytest.mark.parametrize(("score", "late", "after"), [(0, False, 0), (3, False, 2), (3, True, 3)])
def test_row_10_a_turn_that_was_not_late_takes_one_off_the_score(score: int, late: bool, after: int) -> None:
    kept = family(score=score, late=late)
    decision = spend(kept, presented(5, instance_digest=OURS), now=NOW, policy=POLICY)
    assert decision.family.score == after


@pytest.mark.parametrize(("binder", "facts"), MATCHING)
@pytest.mark.parametrize("attempt", [None, b"b" * 32])
@pytest.mark.parametrize("handed_out_at", [NOW, NOW - 1000])
def test_row_11_another_attempt_value_is_a_clone(
    binder: Binder, facts: dict[str, bytes], attempt: bytes | None, handed_out_at: int
) -> None:
    kept = family(binder, uses_attempts=True, attempt_digest=b"a" * 32, handed_out_at=handed_out_at)
    decision = spend(kept, presented(4, attempt_digest=attempt, **facts), now=NOW, policy=POLICY)
    assert decision == theft(kept)


def test_row_11_a_turn_made_without_attempt_value_does_not_fit_the_client_that_uses_them() -> None:
    kept = family(uses_attempts=True, attempt_digest=None)
    mine = presented(4, instance_digest=OURS, attempt_digest=b"a" * 32)
    assert spend(kept, mine, now=NOW, policy=POLICY) == theft(kept)


@pytest.mark.parametrize(("binder", "facts"), MATCHING_OR_NONE)
def test_row_12_a_lost_answer_is_given_again_and_nothing_is_written(
    binder: Binder, facts: dict[str, bytes]
) -> None:
    kept = family(binder, handed_out_at=NOW - GRACE, score=4)
    assert spend(kept, presented(4, **facts), now=NOW, policy=POLICY) == Replayed(kept)


@pytest.mark.parametrize(("binder", "facts"), MATCHING)
@pytest.mark.parametrize(("known", "handed_out_at"), [(False, NOW), (True, NOW - GRACE - 1)])
def test_row_13_a_late_replay_is_answered_and_marked(
    binder: Binder, facts: dict[str, bytes], known: bool, handed_out_at: int
) -> None:
    kept = family(binder, handed_out_at=NOW - GRACE - 1, known=known, score=3)
    decision = spend(kept, presented(4, **facts), now=NOW, policy=POLICY)
    marked = kept._replace(late=True, late_replays=1, score=4, handed_out_at=handed_out_at)
    assert decision == Replayed(marked)


def test_row_13_a_turn_is_marked_late_once() -> None:
    kept = family(late=True, late_replays=1, score=4)
    decision = spend(kept, presented(4, instance_digest=OURS), now=NOW, policy=POLICY)
    assert decision.family.score == 4


def test_row_13_a_score_above_the_limit_is_theft() -> None:
    kept = family(score=MAX_SCORE)
    mine = presented(4, instance_digest=OURS)
    assert spend(kept, mine, now=NOW, policy=POLICY) == theft(kept)
    assert isinstance(spend(kept._replace(score=MAX_SCORE - 1), mine, now=NOW, policy=POLICY), Replayed)


def test_row_13_many_late_replays_within_one_turn_are_reported_once_and_end_nothing() -> None:
    kept = family(known=True)
    reports: list[tuple[Report, ...]] = []
    for _ in range(2 * MAX_LATE_REPLAYS):
        decision = spend(kept, presented(4, instance_digest=OURS), now=NOW, policy=POLICY)
        assert isinstance(decision, Replayed)
        kept, reports = decision.family, [*reports, decision.reports]
    assert [number for number, made in enumerate(reports, start=1) if made] == [MAX_LATE_REPLAYS + 1]


def test_row_14_one_late_replay_is_forgiven_where_nothing_binds() -> None:
    kept = family(NONE)
    decision = spend(kept, presented(4), now=NOW, policy=POLICY)
    marked = kept._replace(late=True, late_replays=1, score=1, handed_out_at=NOW)
    assert decision == Replayed(marked, (Report.LATE_REPLAY,))


def test_row_14_a_late_replay_with_another_on_the_score_is_theft_where_nothing_binds() -> None:
    kept = family(NONE, score=1)
    assert spend(kept, presented(4), now=NOW, policy=POLICY) == theft(kept)


@pytest.mark.parametrize(("binder", "facts"), MATCHING_OR_NONE)
@pytest.mark.parametrize("turn", [0, 3])
def test_row_15_an_older_token_is_theft(turn: int, binder: Binder, facts: dict[str, bytes]) -> None:
    kept = family(binder, handed_out_at=NOW)
    assert spend(kept, presented(turn, **facts), now=NOW, policy=POLICY) == theft(kept)


def test_with_a_grace_of_zero_every_refresh_is_a_turn() -> None:
    kept = family(handed_out_at=NOW)
    policy = RefreshPolicy(grace_s=0, idle_s=IDLE)
    assert isinstance(spend(kept, presented(5, instance_digest=OURS), now=NOW, policy=policy), Turned)


@pytest.mark.parametrize("turn", [4, 5])
def test_log_out_ends_the_family_of_a_token_that_would_buy_something(turn: int) -> None:
    ending = Ending(EndReason.LOGGED_OUT, NOW)
    kept = family()
    decision = log_out(kept, presented(turn, instance_digest=OURS), now=NOW, policy=POLICY)
    assert decision == Ended(kept._replace(ending=ending), ending)


@pytest.mark.parametrize("rule", [log_out, vouch])
def test_an_old_token_logs_nobody_out(rule: object) -> None:
    kept = family()
    for facts in ({"instance_digest": OURS}, {}):
        decision = rule(kept, presented(0, **facts), now=NOW, policy=POLICY)  # type: ignore[operator]
        assert decision == Refused(kept, RefusalCode.INVALID_GRANT, (Report.OLD_TOKEN_ELSEWHERE,))


def test_a_token_that_speaks_for_its_session_does_not_turn_it() -> None:
    kept = family()
    decision = vouch(kept, presented(5, instance_digest=OURS), now=NOW, policy=POLICY)
    assert decision == Replayed(kept)
    assert vouch(kept, presented(5), now=NOW, policy=POLICY) == theft(kept)


@pytest.mark.parametrize(
    ("scopes", "audience", "kind"),
    [
        ((), None, Turned),
        (("orders:read",), None, Turned),
        (("orders:read",), "https://api.example.com", Turned),
        (("orders:read", "orders:write"), None, RefusalCode.INVALID_SCOPE),
        ((), "https://other.example.com", RefusalCode.INVALID_TARGET),
    ],
)
def test_a_request_for_more_than_was_granted_spends_nothing(
    scopes: tuple[str, ...], audience: str | None, kind: type | RefusalCode
) -> None:
    row = family(CLIENT)
    decision = spend_for(scopes, audience)(row, Presented(5, "mapae"), now=NOW, policy=POLICY)
    if isinstance(kind, RefusalCode):
        assert decision == Refused(row, kind, ())
    else:
        assert isinstance(decision, kind)


def test_what_a_request_asks_for_does_not_hide_a_theft_or_an_end() -> None:
    too_much = spend_for(("orders:write",), None)
    theft = too_much(family(CLIENT), Presented(2, "mapae"), now=NOW, policy=POLICY)
    assert isinstance(theft, Ended)
    assert theft.ending.reason is EndReason.REPLAYED
    over = family(CLIENT, ending=Ending(EndReason.LOGGED_OUT, NOW - 1))
    assert isinstance(too_much(over, Presented(5, "mapae"), now=NOW, policy=POLICY), Ended)
