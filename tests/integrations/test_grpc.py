"""gRPC: real servers on loopback, of threads and of asyncio, all four kinds of calls, refusals and their challenge."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from mapae import Misuse
from mapae.integrations.grpc import AioBearer, Bearer, current_token, current_token_if_any
from mapae.testing import Issuer
from mapae.verifier import Needs

ISSUER = Issuer(audience="https://api.example.com")
SERVICE = "orders.Orders"
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")

Metadata = tuple[tuple[str, str], ...]


class Outcome:
    """How a call ended: what was answered, the status, its message, the challenge."""

    def __init__(self, answers: list[str], code: grpc.StatusCode, details: str, trailing: Any) -> None:
        self.answers = answers
        self.code = code
        self.details = details
        self.challenge = dict(trailing or ()).get("www-authenticate")


Ask = Callable[..., Outcome]


def _said(request: bytes) -> bytes:
    """What every method answers. A request names a scope that the method needs, or nothing."""
    if request:
        current_token().require(request.decode())
    return current_token().subject.encode()


def _greeting() -> bytes:
    token = current_token_if_any()
    return token.subject.encode() if token else b"stranger"


class Threads:
    """Methods as they are written for a server of threads."""

    def unary_unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return _said(request)

    def unary_stream(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield _said(b"")
        yield _said(request)

    def stream_unary(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return [_said(request) for request in requests][-1]

    def stream_stream(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield _said(request)

    def greet(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return _greeting()

    def mine(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return _said(b"")


class Coroutines:
    """The same for asyncio."""

    async def unary_unary(self, request: bytes, context: Any) -> bytes:
        return _said(request)

    async def unary_stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield _said(b"")
        yield _said(request)

    async def stream_unary(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        return [_said(request) async for request in requests][-1]

    async def stream_stream(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield _said(request)

    async def greet(self, request: bytes, context: Any) -> bytes:
        return _greeting()

    async def mine(self, request: bytes, context: Any) -> bytes:
        return _said(b"")


class Writers(Coroutines):
    """The same where asyncio's methods read from the context and write to it."""

    async def unary_stream(self, request: bytes, context: Any) -> None:  # type: ignore[override]
        await context.write(_said(b""))
        await context.write(_said(request))

    async def stream_unary(self, requests: Any, context: Any) -> bytes:
        said = b""
        while (request := await context.read()) is not grpc.aio.EOF:
            said = _said(request)
        return said

    async def stream_stream(self, requests: Any, context: Any) -> None:  # type: ignore[override]
        while (request := await context.read()) is not grpc.aio.EOF:
            await context.write(_said(request))


def _service(methods: object) -> grpc.GenericRpcHandler:
    names = {name: name for name in KINDS} | {"greet": "unary_unary", "mine": "unary_unary"}
    handlers = {
        name: getattr(grpc, f"{kind}_rpc_method_handler")(getattr(methods, name))
        for name, kind in names.items()
    }
    return grpc.method_handlers_generic_handler(SERVICE, handlers)


@contextmanager
def _threads(methods: object, bearer: Bearer) -> Iterator[str]:
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, handlers=[_service(methods)], interceptors=[bearer])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


@asynccontextmanager
async def _asyncio(
    methods: object, bearer: AioBearer, pool: ThreadPoolExecutor | None = None
) -> AsyncIterator[str]:
    server = grpc.aio.server(pool, handlers=[_service(methods)], interceptors=[bearer])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def _call(address: str, method: str, kind: str, requests: list[str], metadata: Metadata) -> Outcome:
    """Call a method with the client of threads, and take all that it answers."""
    answers: list[bytes] = []
    with grpc.insecure_channel(address) as channel:
        stub = getattr(channel, kind)(f"/{SERVICE}/{method}")
        sent = [request.encode() for request in requests]
        request: Any = iter(sent) if kind.startswith("stream") else sent[0]
        try:
            if kind.endswith("stream"):
                call = stub(request, metadata=metadata, timeout=20)
                answers.extend(call)
            else:
                answer, call = stub.with_call(request, metadata=metadata, timeout=20)
                answers.append(answer)
        except grpc.RpcError as error:
            call = error
        return Outcome(
            [answer.decode() for answer in answers], call.code(), call.details(), call.trailing_metadata()
        )


@pytest.fixture(params=["threads", "asyncio", "asyncio, context", "asyncio, threads"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Call a method of a server of each sort that grpc has, with methods of each sort that it may have."""

    def over_threads(arguments: tuple[Any, ...], options: dict[str, Any]) -> Outcome:
        with _threads(Threads(), Bearer(**options)) as address:
            return _call(address, *arguments)

    async def over_asyncio(arguments: tuple[Any, ...], options: dict[str, Any]) -> Outcome:
        methods = {"asyncio": Coroutines, "asyncio, context": Writers, "asyncio, threads": Threads}
        async with _asyncio(methods[request.param](), AioBearer(**options)) as address:
            return await asyncio.to_thread(_call, address, *arguments)

    def ask(
        kind: str, *requests: str, metadata: Metadata = (), method: str | None = None, **options: Any
    ) -> Outcome:
        arguments = (method or kind, kind, list(requests) or [""], metadata)
        options = {"verifier": ISSUER.verifier(), **options}
        if request.param == "threads":
            return over_threads(arguments, options)
        return asyncio.run(over_asyncio(arguments, options))

    return ask


def _bearer(**options: Any) -> Metadata:
    return (("authorization", f"Bearer {ISSUER.token(**options)}"),)


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_a_method_gets_the_token(ask: Ask, kind: str) -> None:
    outcome = ask(kind, "", "orders:read", metadata=_bearer(subject="alice", scopes=["orders:read"]))

    assert outcome.code is grpc.StatusCode.OK
    assert set(outcome.answers) == {"alice"}


@every_kind
def test_no_token_is_unauthenticated_with_a_challenge_that_names_no_error(ask: Ask, kind: str) -> None:
    outcome = ask(kind, realm="orders")

    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED
    assert outcome.challenge == 'Bearer realm="orders"'
    assert outcome.details == "This call needs an access token."
    assert outcome.answers == []


@every_kind
@pytest.mark.parametrize("wrong", [{"expired": True}, {"alg": "none"}])
def test_a_bad_token_is_unauthenticated_and_says_why(ask: Ask, kind: str, wrong: dict[str, Any]) -> None:
    outcome = ask(kind, metadata=_bearer(**wrong))

    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED
    assert 'error="invalid_token"' in str(outcome.challenge)
    assert outcome.answers == []


@every_kind
def test_a_scope_that_every_call_needs_is_permission_denied(ask: Ask, kind: str) -> None:
    outcome = ask(kind, metadata=_bearer(scopes=["orders:write"]), scopes=["orders:read"])

    assert outcome.code is grpc.StatusCode.PERMISSION_DENIED
    assert 'scope="orders:read", error="insufficient_scope"' in str(outcome.challenge)
    assert outcome.answers == []


# A thread that ends a stream of an asyncio server races with its last answer: a limit of grpc, which answers UNKNOWN.
@pytest.mark.parametrize("ask", ["threads", "asyncio", "asyncio, context"], indirect=True)
@every_kind
def test_a_rejection_by_the_method_is_answered_also_in_the_middle_of_a_stream(ask: Ask, kind: str) -> None:
    requests = ["", "orders:write"] if kind.startswith("stream") else ["orders:write"]
    outcome = ask(kind, *requests, metadata=_bearer(subject="alice"))

    assert outcome.code is grpc.StatusCode.PERMISSION_DENIED
    assert 'scope="orders:write", error="insufficient_scope"' in str(outcome.challenge)
    assert outcome.answers == (["alice"] if kind.endswith("stream") else [])


@every_kind
def test_an_issuer_that_is_away_is_unavailable(ask: Ask, kind: str) -> None:
    away = ISSUER.verifier(issuer="http://127.0.0.1:9", keys=None)
    outcome = ask(kind, metadata=_bearer(), verifier=away)

    assert outcome.code is grpc.StatusCode.UNAVAILABLE
    assert outcome.challenge == 'Bearer realm="api"'


def test_two_tokens_at_once_are_an_invalid_argument(ask: Ask) -> None:
    outcome = ask("unary_unary", metadata=_bearer() + _bearer())

    assert outcome.code is grpc.StatusCode.INVALID_ARGUMENT
    assert 'error="invalid_request"' in str(outcome.challenge)


def test_the_challenge_names_the_metadata_of_the_resource(ask: Ask) -> None:
    metadata = "https://api.example.com/.well-known/oauth-protected-resource"

    assert (
        ask("unary_unary", resource_metadata=metadata).challenge
        == f'Bearer realm="api", resource_metadata="{metadata}"'
    )


def test_an_anonymous_method_serves_strangers_and_knows_who_is_none(ask: Ask) -> None:
    anonymous = [f"/{SERVICE}/greet"]
    stranger = ask("unary_unary", method="greet", anonymous=anonymous)
    alice = ask("unary_unary", method="greet", anonymous=anonymous, metadata=_bearer(subject="alice"))
    liar = ask("unary_unary", method="greet", anonymous=anonymous, metadata=_bearer(expired=True))

    assert (stranger.code, stranger.answers) == (grpc.StatusCode.OK, ["stranger"])
    assert (alice.code, alice.answers) == (grpc.StatusCode.OK, ["alice"])
    assert liar.code is grpc.StatusCode.UNAUTHENTICATED


def test_an_anonymous_method_that_needs_a_token_after_all_is_answered(ask: Ask) -> None:
    outcome = ask("unary_unary", method="mine", anonymous=[f"/{SERVICE}/mine"])

    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED
    assert outcome.challenge == 'Bearer realm="api"'


def test_a_method_that_is_not_there_is_unimplemented(ask: Ask) -> None:
    assert ask("unary_unary", method="nothing").code is grpc.StatusCode.UNIMPLEMENTED


def test_calls_at_the_same_time_keep_their_tokens_apart() -> None:
    subjects = [f"user-{number}" for number in range(20)]

    def asked(address: str) -> list[str]:
        with ThreadPoolExecutor(10) as callers:
            outcomes = callers.map(
                lambda subject: _call(
                    address, "stream_stream", "stream_stream", [""] * 5, _bearer(subject=subject)
                ),
                subjects,
            )
            return [",".join(sorted(set(outcome.answers))) for outcome in outcomes]

    async def over_asyncio(methods: object) -> list[str]:
        async with _asyncio(methods, AioBearer(ISSUER.verifier())) as address:
            return await asyncio.to_thread(asked, address)

    with _threads(Threads(), Bearer(ISSUER.verifier())) as address:
        assert asked(address) == subjects
    assert asyncio.run(over_asyncio(Coroutines())) == subjects
    assert asyncio.run(over_asyncio(Threads())) == subjects


async def test_a_stranger_in_the_thread_of_another_is_still_a_stranger() -> None:
    bearer = AioBearer(ISSUER.verifier(), anonymous=[f"/{SERVICE}/greet"])
    with ThreadPoolExecutor(1) as pool:
        async with _asyncio(Threads(), bearer, pool) as address:
            greeted = [
                await asyncio.to_thread(_call, address, "greet", "unary_unary", [""], metadata)
                for metadata in (_bearer(subject="alice"), ())
            ]

    assert [outcome.answers for outcome in greeted] == [["alice"], ["stranger"]]


@pytest.mark.parametrize(
    "anonymous", ["/grpc.health.v1.Health/Check", ["grpc.health.v1.Health/Check"], ["Check"]]
)
def test_a_name_that_is_no_full_name_is_misuse(anonymous: Any) -> None:
    with pytest.raises(Misuse):
        Bearer(ISSUER.verifier(), anonymous=anonymous)


@pytest.mark.parametrize(
    ("options", "code", "error"),
    [
        ({"roles": ["admin"]}, grpc.StatusCode.OK, None),
        ({}, grpc.StatusCode.PERMISSION_DENIED, "insufficient_scope"),
        (
            {"roles": ["admin"], "claims": {"auth_time": 1}},
            grpc.StatusCode.UNAUTHENTICATED,
            "insufficient_user_authentication",
        ),
    ],
)
def test_every_call_may_need_roles_and_a_fresh_sign_in(
    ask: Ask, options: dict[str, Any], code: grpc.StatusCode, error: str | None
) -> None:
    outcome = ask("unary_unary", metadata=_bearer(**options), needs=Needs(roles=["admin"], fresh_s=60))

    assert outcome.code is code
    assert error is None or f'error="{error}"' in str(outcome.challenge)
