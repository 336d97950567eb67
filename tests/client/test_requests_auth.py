"""The token in requests: the right origin, one renewal, nothing after a redirect."""

from collections.abc import Iterator

import pytest
import requests

from mapae.client import LoginRequired, Misuse, StepUpRequired
from tests.client.apis import Bench, signed_in
from tests.client.wire import Reply


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A signed-in session and two APIs."""
    with signed_in() as signed:
        yield signed


def get(bench: Bench, url: str) -> requests.Response:
    with requests.Session() as http:
        http.auth = bench.session.requests_auth(bench.api.url)
        return http.get(url, timeout=10)


def test_a_request_carries_the_token(bench: Bench) -> None:
    bench.api.taken.add("access-0-1")

    assert get(bench, f"{bench.api.url}/orders").status_code == 200


def test_a_token_near_its_end_is_renewed_first(bench: Bench) -> None:
    bench.clock.advance(280)
    bench.api.taken.add("access-1-2")

    assert get(bench, bench.api.url).status_code == 200
    assert bench.api.authorizations == ["Bearer access-1-2"]


def test_another_origin_gets_no_token(bench: Bench) -> None:
    get(bench, bench.other.url)

    assert bench.other.authorizations == [None]


def test_a_redirect_takes_no_token_to_another_origin(bench: Bench) -> None:
    bench.api.redirect = f"{bench.other.url}/landed"

    assert get(bench, bench.api.url).status_code == 401
    assert bench.other.authorizations == [None]
    assert bench.auth.calls("refresh") == []


def test_a_redirect_takes_no_token_to_another_scheme(bench: Bench) -> None:
    """requests itself keeps the header from http to https on the default ports."""
    auth = bench.session.requests_auth("http://localhost")
    request = auth(requests.Request("GET", "http://localhost/").prepare())
    assert "Authorization" in request.headers
    response = requests.Response()
    response.request, response.url, response.status_code = request, "http://localhost/", 302
    response.headers["Location"] = "https://localhost/landed"
    auth._answered(response)

    assert "Authorization" not in request.headers


def test_a_redirect_within_the_origin_keeps_the_token(bench: Bench) -> None:
    bench.api.taken.add("access-0-1")
    bench.api.redirect = "/landed"

    assert get(bench, bench.api.url).status_code == 200


def test_a_token_the_api_calls_invalid_is_renewed_and_the_request_sent_again(bench: Bench) -> None:
    bench.api.taken.add("access-1-2")
    auth = bench.session.requests_auth(bench.api.url)
    answer = requests.post(bench.api.url, json={"item": 7}, auth=auth, timeout=10)

    assert answer.status_code == 200
    assert [seen.body for seen in bench.api.seen] == [{"item": 7}, {"item": 7}]
    assert [earlier.status_code for earlier in answer.history] == [401]


def test_after_a_renewal_a_redirect_within_the_origin_carries_the_new_token(bench: Bench) -> None:
    bench.api.taken.add("access-1-2")
    bench.api.redirect_signed = "/landed"

    assert get(bench, bench.api.url).status_code == 200
    assert bench.api.authorizations == ["Bearer access-0-1", "Bearer access-1-2", "Bearer access-1-2"]


def test_a_request_is_sent_again_once_only(bench: Bench) -> None:
    assert get(bench, bench.api.url).status_code == 401
    assert bench.api.authorizations == ["Bearer access-0-1", "Bearer access-1-2"]


def test_a_streamed_body_is_not_sent_again(bench: Bench) -> None:
    auth = bench.session.requests_auth(bench.api.url)
    answer = requests.post(bench.api.url, data=iter([b"once"]), auth=auth, timeout=10)

    assert answer.status_code == 401
    assert len(bench.api.seen) == 1


def test_without_the_auth_server_the_caller_gets_the_apis_own_refusal(bench: Bench) -> None:
    bench.auth.replies.append(Reply(503))

    assert get(bench, bench.api.url).status_code == 401


def test_an_api_that_wants_more_says_what(bench: Bench) -> None:
    bench.api.challenge = 'Bearer error="insufficient_user_authentication", max_age="60"'

    with pytest.raises(StepUpRequired) as caught:
        get(bench, bench.api.url)
    assert caught.value.max_age == 60


def test_the_end_of_the_session_reaches_the_caller(bench: Bench) -> None:
    bench.auth.ended = "revoked_by_user"

    with pytest.raises(LoginRequired):
        get(bench, bench.api.url)


def test_origins_are_named_and_encrypted(bench: Bench) -> None:
    for origins in ((), ("http://api.example.com",)):
        with pytest.raises(Misuse):
            bench.session.requests_auth(*origins)
