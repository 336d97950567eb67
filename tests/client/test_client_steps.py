"""The client's decisions, row by row, with a fixed clock."""

import json
from email.utils import formatdate
from typing import Any

import pytest

from mapae.client.answer import Answer
from mapae.client.errors import (
    InvalidCredentials,
    LoginRefused,
    TooManyAttempts,
    Unavailable,
    UnexpectedAnswer,
)
from mapae.client.judgements import Backoff, Ended, judge_login, judge_refresh
from mapae.client.records import Tokens
from mapae.client.steps import Held, good_enough, remaining_s
from mapae.secret import Secret

NOW = 1_800_000_000.0
TOKENS = {
    "access_token": "eyJ.access.token",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_token": "mpr_first",
    "refresh_expires_in": 2_592_000,
    "session_id": "AbCdEfGhIjKl",
    "scope": "orders:read",
}


def held(*, left_s: float, life_s: float = 300, skew_s: float = 0) -> Tokens:
    return Tokens(
        access_token=Secret("access"),
        expires_at=NOW + skew_s + left_s,
        life_s=life_s,
        skew_s=skew_s,
        refresh_token=Secret("mpr_first"),
        refresh_expires_at=NOW + 1000,
        session_id="AbCdEfGhIjKl",
        scope="",
    )


def answer(status: int, body: object, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(
    ("left_s", "life_s", "min_life_s", "enough"),
    [
        (31, 300, 0, True),
        (30, 300, 0, False),  # the margin itself is too little
        (361, 3600, 0, True),
        (360, 3600, 0, False),  # a tenth of a long life
        (11, 20, 0, True),
        (10, 20, 0, False),  # half of a short one
        (61, 300, 60, True),
        (60, 300, 60, False),
        (300, 300, 1000, False),
        (0, 300, 0, False),
        (-5, 300, 0, False),
        (361, 300, 0, False),  # more life than it came with: our clock was set back
    ],
)
def test_a_token_is_used_until_its_margin(
    left_s: float, life_s: float, min_life_s: float, enough: bool
) -> None:
    assert good_enough(held(left_s=left_s, life_s=life_s), min_life_s, NOW) is enough


@pytest.mark.parametrize("skew_s", [-7200, -40, 0, 40, 7200])
def test_a_wrong_clock_does_not_matter(skew_s: float) -> None:
    tokens = judge_login(answer(200, TOKENS, date=formatdate(NOW + skew_s, usegmt=True)), NOW)

    assert remaining_s(tokens, NOW) == 300
    assert remaining_s(tokens, NOW + 100) == 200
    assert tokens.skew_s == skew_s
    assert tokens.expires_at == NOW + skew_s + 300


@pytest.mark.parametrize("date", ["", "soon", "Tue, 24 Nov 2026 17:00:00 -0000"])
def test_without_a_usable_date_our_clock_has_to_do(date: str) -> None:
    assert judge_login(answer(200, TOKENS, date=date), NOW).skew_s == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "two words"},
        {"access_token": "line\nbreak"},
        {"refresh_token": 7},
        {"expires_in": "300"},
        {"expires_in": 0},
        {"expires_in": True},
        {"expires_in": 1e300},
        {"refresh_expires_in": None},
    ],
)
def test_an_answer_that_holds_no_tokens_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        judge_refresh(answer(200, {**TOKENS, **wrong}), NOW)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b"\xff", b"null"])
def test_a_body_that_is_no_object_holds_no_tokens(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        judge_login(answer(200, body), NOW)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"code": "session_ended", "reason": "password_changed"}, "password_changed"),
        (401, {"code": "session_ended"}, "session_ended"),
        (401, {"code": "invalid_refresh_token"}, "invalid_refresh_token"),
    ],
)
def test_two_answers_end_a_session(status: int, body: object, reason: str) -> None:
    assert judge_refresh(answer(status, body), NOW) == Ended(reason)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {}),
        (401, b"<html>sign in to the hotel network</html>"),
        (401, {"code": "something_else"}),
        (400, {"code": "session_ended"}),
        (403, {"code": "invalid_refresh_token"}),
        (302, b""),
        (404, b""),
        (429, {"code": "session_ended"}),
        (500, {"code": "session_ended"}),
        (503, b""),
    ],
)
def test_no_other_answer_ends_a_session(status: int, body: object) -> None:
    with pytest.raises(Unavailable):
        judge_refresh(answer(status, body), NOW)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999999999999", 300.0),
        (formatdate(NOW + 20, usegmt=True), 20.0),
        (formatdate(NOW - 20, usegmt=True), 0.0),
        (formatdate(NOW + 86_400, usegmt=True), 300.0),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_server_says_how_long_to_wait(value: str, wait: float | None) -> None:
    with pytest.raises(Unavailable) as caught:
        judge_refresh(answer(503, b"", retry_after=value, date=formatdate(NOW, usegmt=True)), NOW)

    assert caught.value.retry_after == wait


def test_a_refused_sign_in_says_by_its_type_who_has_to_act() -> None:
    with pytest.raises(InvalidCredentials):
        judge_login(answer(401, {"code": "invalid_credentials"}), NOW)
    with pytest.raises(TooManyAttempts) as throttled:
        judge_login(answer(429, {"code": "too_many_attempts"}, retry_after="60"), NOW)
    with pytest.raises(LoginRefused) as disabled:
        judge_login(answer(403, {"code": "user_disabled", "detail": "ask your administrator"}), NOW)

    assert throttled.value.retry_after == 60
    assert disabled.value.code == "user_disabled"
    assert "ask your administrator" in str(disabled.value)


@pytest.mark.parametrize(
    ("status", "body"), [(500, {"code": "server_error"}), (404, b"not here"), (301, b"")]
)
def test_an_answer_from_elsewhere_is_no_refusal(status: int, body: object) -> None:
    with pytest.raises(Unavailable):
        judge_login(answer(status, body), NOW)


def test_a_clock_that_was_set_back_lets_no_token_live_longer() -> None:
    kept = Held(held(left_s=300), over_at=1300.0)

    assert kept.remaining_s(NOW, 1000.0) == 300
    assert kept.remaining_s(NOW - 50, 1200.0) == 100
    assert not kept.good_enough(60, NOW - 50, 1250.0)


def test_a_machine_that_slept_lets_no_token_live_longer() -> None:
    kept = Held(held(left_s=300), over_at=1300.0)

    assert kept.remaining_s(NOW + 290, 1001.0) == 10
    assert kept.remaining_s(NOW + 400, 1001.0) == 0


def test_each_failure_in_a_row_doubles_the_wait_up_to_five_minutes() -> None:
    backoff, waits = Backoff(), []
    for _ in range(12):
        backoff = backoff.after(Unavailable("down"), chance=0.999_999, now=0.0)
        waits.append(round(backoff.until))

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_chance_takes_up_to_half_of_the_wait() -> None:
    assert Backoff(failures=3).after(Unavailable("down"), chance=0.0, now=100.0).until == 104.0


def test_the_servers_word_goes_before_our_guess() -> None:
    assert Backoff(failures=9).after(Unavailable("busy", 5.0), chance=0.5, now=100.0).until == 105.0
