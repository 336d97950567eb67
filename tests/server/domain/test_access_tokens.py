"""When an access token is dead before its end."""

from dataclasses import replace

import pytest

from mapae.server.domain.access_tokens import ClientGrant

NOW = 1_800_000_000
GRANT = ClientGrant(
    user_id="alice",
    user_disabled=False,
    session_ended=False,
    session_expires_at=NOW + 1,
    live=True,
    last_ended_at=None,
    now=NOW,
)


def test_a_token_of_a_grant_that_goes_on_stands() -> None:
    assert GRANT.covers(NOW - 100)


@pytest.mark.parametrize(
    "over",
    [
        {"user_disabled": True},
        {"session_ended": True},
        {"session_expires_at": NOW},
        {"live": False, "last_ended_at": NOW - 200},
    ],
    ids=repr,
)
def test_with_user_session_or_grant_the_token_is_over(over: dict[str, bool | int]) -> None:
    assert not replace(GRANT, **over).covers(NOW - 100)  # type: ignore[arg-type]


@pytest.mark.parametrize(("after_s", "stands"), [(-1, False), (0, False), (1, True)])
def test_a_grant_that_ended_takes_what_was_issued_until_that_second(after_s: int, stands: bool) -> None:
    again = replace(GRANT, last_ended_at=NOW - 50)
    assert again.covers(NOW - 50 + after_s) is stands
