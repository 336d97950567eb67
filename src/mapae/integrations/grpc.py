"""Bearer tokens for gRPC servers; a call brings its token in the metadata `authorization`.

server = grpc.server(ThreadPoolExecutor(), interceptors=[Bearer(verifier)])
server = grpc.aio.server(interceptors=[AioBearer(verifier)])

async def List(self, request, context):
    token = current_token()
    token.require("orders:read")
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, Final

import grpc
import grpc.aio

from mapae.integrations.gate import Gate
from mapae.verifier import (
    NOTHING,
    AccessToken,
    Misuse,
    Needs,
    RejectionCode,
    TokenRejected,
    Verifier,
    Verifiers,
)

Call = grpc.HandlerCallDetails
Handler = Any  # a grpc.RpcMethodHandler, which takes type parameters only in its stubs, or None
Method = Callable[[Any, Any], Any]

_token: Final = ContextVar[AccessToken | None]("mapae_token", default=None)

_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    503: grpc.StatusCode.UNAVAILABLE,
}


def current_token() -> AccessToken:
    """The access token of the call that is being served.

    Raises:
        TokenRejected: MISSING, in a call to an anonymous method that brings none.
    """
    token = _token.get()
    if token is None:
        raise TokenRejected(RejectionCode.MISSING, "a method that needs a token")
    return token


def current_token_if_any() -> AccessToken | None:
    """As `current_token`; None in a call without one."""
    return _token.get()


class _Guard:
    """What the two interceptors have in common."""

    def __init__(
        self,
        verifier: Verifier | Verifiers,
        *,
        scopes: Collection[str] = (),
        needs: Needs = NOTHING,
        anonymous: Collection[str] = (),
        realm: str = "api",
        resource_metadata: str | None = None,
    ) -> None:
        """
        Args:
            scopes: what every token needs
            needs: what else
            anonymous: methods that may be called without a token, as "/grpc.health.v1.Health/Check"
            realm: names what is protected, in the challenge
            resource_metadata: where the metadata of this resource is, a URL (RFC 9728)
        Raises:
            Misuse: a name in `anonymous` that is not of the form "/package.Service/Method".
        """
        if isinstance(anonymous, str) or not all(name.startswith("/") for name in anonymous):
            raise Misuse('anonymous must be names of the form "/package.Service/Method"')
        self._anonymous: Final = frozenset(anonymous)
        self._gate: Final = Gate(
            verifier, needs=needs.with_scopes(scopes), realm=realm, resource_metadata=resource_metadata
        )

    def _behind_check(self, method: Method, call: Call, *, streams: bool) -> Method:
        # The check is made where the method runs, in a thread of the pool: it may wait for keys.
        @contextmanager
        def checked(context: grpc.ServicerContext) -> Iterator[None]:
            try:
                _token.set(self._gate_of(call).check(_authorization(call), ""))
                yield
            except TokenRejected as rejected:
                code, message, trailing = self._refusal(rejected)
                context.set_trailing_metadata(trailing)
                context.abort(code, message)

        def unary(request: Any, context: grpc.ServicerContext) -> Any:
            with checked(context):
                return method(request, context)

        def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with checked(context):
                yield from method(request, context)

        return stream if streams else unary

    def _gate_of(self, call: Call) -> Gate:
        return replace(self._gate, optional=True) if call.method in self._anonymous else self._gate

    def _refusal(self, rejected: TokenRejected) -> tuple[grpc.StatusCode, str, tuple[tuple[str, str], ...]]:
        """Code, message and trailing metadata."""
        answer = self._gate.refusal(rejected)
        challenge = ("www-authenticate", answer.headers["WWW-Authenticate"])
        return _CODES[answer.status], answer.members["error_description"], (challenge,)


class Bearer(_Guard, grpc.ServerInterceptor):
    """Serves only calls with a valid access token; the method finds it as `current_token()`.

    All others, and calls whose method raises TokenRejected, as from `current_token().require("orders:write")`, end
    with UNAUTHENTICATED, PERMISSION_DENIED or UNAVAILABLE (INVALID_ARGUMENT for two tokens at once) and the
    challenge in the trailing metadata `www-authenticate`.
    """

    def intercept_service(
        self, continuation: Callable[[Call], Handler], handler_call_details: Call
    ) -> Handler:
        """The method that is called, behind the check of its token."""
        handler = continuation(handler_call_details)
        return handler and _wrapped(
            handler,
            lambda method: self._behind_check(
                method, handler_call_details, streams=handler.response_streaming
            ),
        )


class AioBearer(_Guard, grpc.aio.ServerInterceptor):
    """As `Bearer`, for `grpc.aio` servers.

    Methods need not be coroutines; but grpc may end a stream of one that is none with UNKNOWN when it is refused after
    its first answers.
    """

    async def intercept_service(
        self, continuation: Callable[[Call], Awaitable[Handler]], handler_call_details: Call
    ) -> Handler:
        """The method that is called, behind the check of its token."""
        handler = await continuation(handler_call_details)

        def wrap(method: Method) -> Method:
            if iscoroutinefunction(method) or isasyncgenfunction(method):
                return self._behind_async_check(method, handler_call_details)
            return self._behind_check(method, handler_call_details, streams=handler.response_streaming)

        return handler and _wrapped(handler, wrap)

    def _behind_async_check(self, method: Method, call: Call) -> Method:
        @asynccontextmanager
        async def checked(context: Any) -> AsyncIterator[None]:
            try:
                _token.set(await self._gate_of(call).acheck(_authorization(call), ""))
                yield
            except TokenRejected as rejected:
                await context.abort(*self._refusal(rejected))

        async def unary(request: Any, context: Any) -> Any:
            async with checked(context):
                return await method(request, context)

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            async with checked(context), aclosing(method(request, context)) as responses:
                async for response in responses:
                    yield response

        # A method that answers a stream may also be a coroutine, which writes to the context.
        return stream if isasyncgenfunction(method) else unary


def _authorization(call: Call) -> list[str]:
    return [str(value) for name, value in call.invocation_metadata if name == "authorization"]


def _wrapped(handler: Handler, wrap: Callable[[Method], Method]) -> Handler:
    """`handler` with its method replaced; the kind of the call and the serializers stay."""
    request, response = (
        "stream" if streams else "unary"
        for streams in (handler.request_streaming, handler.response_streaming)
    )
    method: Method = getattr(handler, f"{request}_{response}")
    make: Callable[..., Handler] = getattr(grpc, f"{request}_{response}_rpc_method_handler")
    return make(wrap(method), handler.request_deserializer, handler.response_serializer)
