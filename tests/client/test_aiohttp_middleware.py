"""The token in aiohttp: the right origin, one renewal for many tasks, nothing after a redirect."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from mapae.client import LoginRequired, Misuse, StepUpRequired
from tests.client.apis import Bench, signed_in
from tests.client.wire import Reply


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A signed-in session and two APIs."""
    with signed_in() as signed:
        yield signed


def client(bench: Bench) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(middlewares=[bench.session.aiohttp_middleware(bench.api.url)])


async def get(bench: Bench, url: str) -> int:
    async with client(bench) as http, http.get(url) as answer:
        return answer.status


async def test_a_request_carries_the_token(bench: Bench) -> None:
    bench.api.taken.add("access-0-1")

    assert await get(bench, f"{bench.api.url}/orders") == 200


async def test_another_origin_gets_no_token(bench: Bench) -> None:
    await get(bench, bench.other.url)

    assert bench.other.authorizations == [None]


async def test_a_redirect_takes_no_token_to_another_origin(bench: Bench) -> None:
    bench.api.redirect = f"{bench.other.url}/landed"

    assert await get(bench, bench.api.url) == 401
    assert bench.other.authorizations == [None]
    assert bench.auth.calls("refresh") == []


async def test_a_redirect_to_the_origin_of_the_token_is_signed(bench: Bench) -> None:
    bench.other.redirect = f"{bench.api.url}/landed"
    bench.api.taken.add("access-0-1")

    assert await get(bench, bench.other.url) == 200
    assert bench.other.authorizations == [None]


async def test_tasks_share_one_renewal_and_send_their_bodies_again(bench: Bench) -> None:
    bench.api.taken.add("access-1-2")

    async def post(http: aiohttp.ClientSession, item: int) -> int:
        async with http.post(bench.api.url, json={"item": item}) as answer:
            return answer.status

    async with client(bench) as http:
        statuses = await asyncio.gather(*(post(http, item) for item in range(8)))

    assert set(statuses) == {200}
    assert len(bench.auth.calls("refresh")) == 1
    served = [seen.body["item"] for seen in bench.api.seen if "access-1-2" in seen.headers["authorization"]]
    assert sorted(served) == list(range(8))


async def test_a_request_is_sent_again_once_only(bench: Bench) -> None:
    assert await get(bench, bench.api.url) == 401
    assert bench.api.authorizations == ["Bearer access-0-1", "Bearer access-1-2"]


async def test_a_streamed_body_is_not_sent_again(bench: Bench) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"once"

    async with client(bench) as http, http.post(bench.api.url, data=stream()) as answer:
        assert answer.status == 401

    assert len(bench.api.seen) == 1


async def test_without_the_auth_server_the_caller_gets_the_apis_own_refusal(bench: Bench) -> None:
    bench.auth.replies.append(Reply(503))

    assert await get(bench, bench.api.url) == 401


async def test_an_api_that_wants_more_says_what(bench: Bench) -> None:
    bench.api.challenge = 'Bearer error="insufficient_user_authentication", max_age="60"'

    with pytest.raises(StepUpRequired) as caught:
        await get(bench, bench.api.url)
    assert caught.value.max_age == 60


async def test_the_end_of_the_session_reaches_the_caller(bench: Bench) -> None:
    bench.auth.ended = "revoked_by_user"

    with pytest.raises(LoginRequired):
        await get(bench, bench.api.url)


def test_origins_are_named_and_encrypted(bench: Bench) -> None:
    for origins in ((), ("http://api.example.com",)):
        with pytest.raises(Misuse):
            bench.session.aiohttp_middleware(*origins)
