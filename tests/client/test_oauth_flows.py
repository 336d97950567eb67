"""The device flow step by step, without a clock or a network: how long it waits, and when it gives up."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from mapae.client.answer import Answer
from mapae.client.errors import LoginRefused, Unavailable
from mapae.client.oauth_flows import SignInRequest, Wait, device_flow
from mapae.client.records import OAuthClient
from mapae.client.transport import Call

ISSUER = "https://auth.example.com"
METADATA = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "device_authorization_endpoint": f"{ISSUER}/device",
}
DEVICE = {
    "device_code": "the-device-code",
    "user_code": "WDJB-MJHT",
    "verification_uri": f"{ISSUER}/activate",
    "expires_in": 100,
}


def answer(status: int, **members: Any) -> Answer:
    return Answer(status, {}, json.dumps(members).encode())


def polling(**device: Any) -> Generator[Any, Any, Any]:
    """A flow whose code has been shown, before its first wait."""
    request = SignInRequest(ISSUER, OAuthClient("native"), {}, lambda: 0.0, bytes)
    flow: Generator[Any, Any, Any] = device_flow(request, lambda _: None, None)
    next(flow)
    assert isinstance(flow.send(answer(200, **METADATA)), Call)
    show = flow.send(answer(200, **{**DEVICE, **device}))
    show()
    return flow


def waits(flow: Generator[Any, Any, Any], told: list[Answer | Unavailable]) -> list[float]:
    """How long the flow waits before each poll."""
    seen, step = [], flow.send(None)
    for outcome in told:
        assert isinstance(step, Wait)
        seen.append(step.seconds)
        assert isinstance(flow.send(None), Call)
        step = flow.throw(outcome) if isinstance(outcome, Unavailable) else flow.send(outcome)
    return seen


def test_each_slow_down_adds_five_seconds_for_good() -> None:
    told = [
        "authorization_pending",
        "slow_down",
        "authorization_pending",
        "slow_down",
        "authorization_pending",
    ]

    assert waits(polling(), [answer(400, error=error) for error in told]) == [5, 5, 10, 10, 15]


def test_the_servers_interval_is_kept() -> None:
    assert waits(polling(interval=7), [answer(400, error="authorization_pending")] * 2) == [7, 7]


def test_a_server_in_trouble_is_asked_less_and_less_often() -> None:
    told: list[Answer | Unavailable] = [Unavailable("down"), Unavailable("down"), answer(503)]

    assert waits(polling(expires_in=1000), [*told, answer(400, error="authorization_pending")]) == [
        5,
        10,
        20,
        40,
    ]


def test_a_code_that_nobody_entered_in_time_is_over() -> None:
    with pytest.raises(LoginRefused) as caught:
        waits(polling(expires_in=12), [answer(400, error="authorization_pending")] * 4)

    assert caught.value.code == "expired_token"


@pytest.mark.parametrize(
    "device", [{"verification_uri": "javascript:alert(1)"}, {"user_code": "a\x1b[2J"}, {"expires_in": -1}]
)
def test_what_no_person_should_see_is_not_shown(device: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        polling(**device)
