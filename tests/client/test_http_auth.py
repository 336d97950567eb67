"""One auth object for httpx and httpx2, sync and async clients: the right origin, one renewal."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import httpx
import httpx2
import pytest
import trio

from mapae.client import LoginRequired, Misuse, Session, StepUpRequired
from mapae.client.outside import Outside
from tests.client.apis import Bench, signed_in
from tests.client.wire import Reply

LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A signed-in session and two APIs."""
    with signed_in() as signed:
        yield signed


@LIBRARIES
def test_a_request_carries_the_token(bench: Bench, library: ModuleType) -> None:
    bench.api.taken.add("access-0-1")
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        assert client.get(f"{bench.api.url}/orders").status_code == 200


@LIBRARIES
async def test_the_same_object_serves_asynchronous_clients(bench: Bench, library: ModuleType) -> None:
    bench.api.taken.add("access-1-2")
    bench.clock.advance(280)
    auth = bench.session.auth(bench.api.url)
    async with library.AsyncClient(auth=auth) as client:
        answers = await asyncio.gather(*(client.get(f"{bench.api.url}/{n}") for n in range(8)))
    with library.Client(auth=auth) as client:
        answers.append(client.get(bench.api.url))

    assert {answer.status_code for answer in answers} == {200}
    assert len(bench.auth.calls("refresh")) == 1


def test_one_object_serves_both_libraries_in_one_program(bench: Bench) -> None:
    bench.api.taken.add("access-0-1")
    auth = bench.session.auth(bench.api.url)
    with httpx.Client(auth=auth) as one, httpx2.Client(auth=auth) as two:
        statuses = {one.get(bench.api.url).status_code, two.get(bench.api.url).status_code}

    assert statuses == {200}


@LIBRARIES
def test_another_origin_gets_no_token(bench: Bench, library: ModuleType) -> None:
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        client.get(bench.other.url)
        client.get(bench.other.url, headers={"Authorization": "Basic eHg6eHg="})

    assert bench.other.authorizations == [None, "Basic eHg6eHg="]
    assert bench.auth.calls("refresh") == []


@LIBRARIES
def test_a_user_name_in_the_url_is_no_crash_and_gets_no_token(bench: Bench, library: ModuleType) -> None:
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        client.get(bench.api.url.replace("://", "://somebody:secret@"))

    assert bench.api.authorizations == [None]


@LIBRARIES
def test_a_redirect_takes_no_token_to_another_origin(bench: Bench, library: ModuleType) -> None:
    bench.api.redirect = f"{bench.other.url}/landed"
    with library.Client(auth=bench.session.auth(bench.api.url), follow_redirects=True) as client:
        assert client.get(bench.api.url).status_code == 401

    assert bench.other.authorizations == [None]
    assert bench.auth.calls("refresh") == []  # the other's invalid_token is not about our token


@LIBRARIES
def test_a_redirect_from_another_origin_brings_no_token_along(bench: Bench, library: ModuleType) -> None:
    bench.other.redirect = f"{bench.api.url}/landed"
    with library.Client(auth=bench.session.auth(bench.api.url), follow_redirects=True) as client:
        client.get(bench.other.url)

    assert bench.other.authorizations == [None]
    assert bench.api.authorizations == [None]


@LIBRARIES
def test_a_token_the_api_calls_invalid_is_renewed_and_the_request_sent_again(
    bench: Bench, library: ModuleType
) -> None:
    bench.api.taken.add("access-1-2")
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        answer = client.post(f"{bench.api.url}/orders", json={"item": 7})

    assert answer.status_code == 200
    assert [seen.body for seen in bench.api.seen] == [{"item": 7}, {"item": 7}]


@LIBRARIES
async def test_the_renewal_works_in_asynchronous_clients(bench: Bench, library: ModuleType) -> None:
    bench.api.taken.add("access-1-2")
    async with library.AsyncClient(auth=bench.session.auth(bench.api.url)) as client:
        answers = await asyncio.gather(*(client.post(bench.api.url, json={"item": n}) for n in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(bench.auth.calls("refresh")) == 1


@LIBRARIES
def test_a_token_that_was_renewed_elsewhere_is_used_without_another_renewal(
    bench: Bench, library: ModuleType
) -> None:
    auth = bench.session.auth(bench.api.url)
    elsewhere = Session(bench.auth.url, bench.session._store, Outside(clock=bench.clock))
    bench.api.taken.add(elsewhere.refresh())
    with library.Client(auth=auth) as client:
        assert client.get(bench.api.url).status_code == 200

    assert len(bench.auth.calls("refresh")) == 1


@LIBRARIES
def test_a_request_is_sent_again_once_only(bench: Bench, library: ModuleType) -> None:
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        assert client.get(bench.api.url).status_code == 401

    assert bench.api.authorizations == ["Bearer access-0-1", "Bearer access-1-2"]


@LIBRARIES
def test_a_streamed_body_is_not_sent_again(bench: Bench, library: ModuleType) -> None:
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        answer = client.post(bench.api.url, content=iter([b"once"]))

    assert answer.status_code == 401
    assert len(bench.api.seen) == 1


@LIBRARIES
@pytest.mark.parametrize("challenge", ["Bearer", 'Bearer error="invalid_request"'])
def test_another_refusal_renews_nothing(bench: Bench, library: ModuleType, challenge: str) -> None:
    bench.api.challenge = challenge
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        assert client.get(bench.api.url).status_code == 401

    assert len(bench.api.seen) == 1
    assert bench.auth.calls("refresh") == []


@LIBRARIES
async def test_an_api_that_wants_more_says_what(bench: Bench, library: ModuleType) -> None:
    bench.api.challenge = 'Bearer error="insufficient_user_authentication", acr_values="phr", max_age="60"'
    auth = bench.session.auth(bench.api.url)
    with library.Client(auth=auth) as client, pytest.raises(StepUpRequired) as caught:
        client.get(bench.api.url)
    async with library.AsyncClient(auth=auth) as asynchronous:
        with pytest.raises(StepUpRequired):
            await asynchronous.get(bench.api.url)

    assert (caught.value.acr_values, caught.value.max_age) == ("phr", 60)
    assert bench.auth.calls("refresh") == []


@LIBRARIES
def test_a_redirect_between_two_origins_of_the_token_blames_no_token(
    bench: Bench, library: ModuleType
) -> None:
    """The library dropped the header on the way: the refusal at its end is not about our token."""
    bench.api.redirect = f"{bench.other.url}/landed"
    auth = bench.session.auth(bench.api.url, bench.other.url)
    with library.Client(auth=auth, follow_redirects=True) as client:
        assert client.get(bench.api.url).status_code == 401

    assert bench.other.authorizations == [None]
    assert bench.auth.calls("refresh") == []


@LIBRARIES
def test_the_same_object_serves_trio(bench: Bench, library: ModuleType) -> None:
    bench.api.taken.add("access-1-2")

    async def call() -> int:
        async with library.AsyncClient(auth=bench.session.auth(bench.api.url)) as client:
            return int((await client.get(bench.api.url)).status_code)

    assert trio.run(call) == 200
    assert len(bench.auth.calls("refresh")) == 1


@LIBRARIES
def test_without_the_auth_server_the_caller_gets_the_apis_own_refusal(
    bench: Bench, library: ModuleType
) -> None:
    bench.auth.replies.append(Reply(503))
    with library.Client(auth=bench.session.auth(bench.api.url)) as client:
        assert client.get(bench.api.url).status_code == 401

    assert bench.session.token() == "access-0-1"


@LIBRARIES
def test_the_end_of_the_session_reaches_the_caller(bench: Bench, library: ModuleType) -> None:
    bench.auth.ended = "revoked_by_user"
    with library.Client(auth=bench.session.auth(bench.api.url)) as client, pytest.raises(LoginRequired):
        client.get(bench.api.url)


@LIBRARIES
async def test_a_cancelled_request_loses_no_renewal(bench: Bench, library: ModuleType) -> None:
    """The task is cancelled while the renewal is under way; the thread ends it and keeps the tokens."""
    bench.clock.advance(280)
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def arrived() -> None:
        loop.call_soon_threadsafe(asked.set)

    bench.auth.before_answer = arrived
    async with library.AsyncClient(auth=bench.session.auth(bench.api.url)) as client:
        task = asyncio.create_task(client.get(bench.api.url))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await asyncio.to_thread(bench.session.token) == "access-1-2"
    assert len(bench.auth.calls("refresh")) == 1


@pytest.mark.parametrize("origins", [(), ("http://api.example.com",), ("api.example.com",)])
def test_origins_are_named_and_encrypted(bench: Bench, origins: tuple[str, ...]) -> None:
    with pytest.raises(Misuse):
        bench.session.auth(*origins)


def test_the_client_imports_no_http_library_by_itself() -> None:
    heavy = {"httpx", "httpx2", "requests", "cryptography", "urllib.request", "http.client"}
    code = f"import mapae.client, sys; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "set()\n"
