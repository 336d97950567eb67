"""What an API's challenges mean: the token is no good, or the API wants more, or neither."""

import pytest

from mapae.client import StepUpRequired
from mapae.client.challenges import check_step_up, refuses_token


@pytest.mark.parametrize(
    ("status", "challenges", "refused"),
    [
        (401, 'Bearer realm="api", error="invalid_token", error_description="expired"', True),
        (401, "Bearer error=invalid_token", True),
        (401, 'bearer error = "invalid_token"', True),
        (401, 'Basic realm="x", Bearer ERROR="invalid_token"', True),
        (401, 'Negotiate YIIabc==, Bearer error="invalid_token"', True),
        (401, 'Negotiate, Bearer error="invalid_token"', True),
        (401, r'Bearer realm="a \"quoted\", error=no", error="invalid_token"', True),
        (401, 'Bearer realm="api"', False),
        (401, "Bearer", False),
        (401, 'Bearer error="invalid_token_binding"', False),
        (401, 'Bearer error_description="error=invalid_token"', False),
        (401, 'DPoP error="invalid_token"', False),
        (401, 'error="invalid_token"', False),
        (401, 'Bearer error="invalid_token', False),
        (401, "", False),
        (401, ", , ,", False),
        (403, 'Bearer error="insufficient_scope"', False),
        (403, 'Bearer error="invalid_token"', False),
        (200, 'Bearer error="invalid_token"', False),
    ],
)
def test_only_invalid_token_says_that_the_token_is_no_good(
    status: int, challenges: str, refused: bool
) -> None:
    assert refuses_token(status, challenges) is refused


def test_a_missing_scope_is_named() -> None:
    with pytest.raises(StepUpRequired, match="scope orders:write") as caught:
        check_step_up(403, 'Bearer error="insufficient_scope", scope="orders:write"')

    wanted = caught.value
    assert (wanted.error, wanted.scope) == ("insufficient_scope", "orders:write")
    assert (wanted.acr_values, wanted.max_age) == ("", None)


def test_a_stronger_and_a_more_recent_sign_in_are_named() -> None:
    """The examples of RFC 9470 section 3."""
    with pytest.raises(StepUpRequired) as stronger:
        check_step_up(401, 'Bearer error="insufficient_user_authentication", acr_values="myACR"')
    with pytest.raises(StepUpRequired) as newer:
        check_step_up(401, 'Bearer error="insufficient_user_authentication", max_age="5"')

    assert stronger.value.acr_values == "myACR"
    assert newer.value.max_age == 5


@pytest.mark.parametrize("max_age", ["soon", "-1", "\u0665", ""])
def test_a_time_that_is_none_is_left_out(max_age: str) -> None:
    with pytest.raises(StepUpRequired) as caught:
        check_step_up(401, f'Bearer error="insufficient_user_authentication", max_age="{max_age}"')

    assert caught.value.max_age is None


@pytest.mark.parametrize(
    ("status", "challenges"),
    [
        (401, 'Bearer error="insufficient_scope"'),
        (403, 'Bearer error="insufficient_user_authentication"'),
        (200, 'Bearer error="insufficient_scope"'),
        (403, 'Bearer error="something_else"'),
        (403, ""),
        (401, 'Bearer error="invalid_token"'),
    ],
)
def test_nothing_else_asks_for_more(status: int, challenges: str) -> None:
    check_step_up(status, challenges)


def test_a_long_header_takes_no_long_time() -> None:
    """Linear: with a quadratic parser this would take minutes."""
    assert not refuses_token(401, "a" * 100_000)
    assert not refuses_token(401, "Bearer " + 'x="' * 50_000)
    assert not refuses_token(401, "Basic " * 50_000)
