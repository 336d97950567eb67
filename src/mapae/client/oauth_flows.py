"""The ways to sign in at an OAuth server, in steps without I/O, and what drives them in a thread or a task.

A flow yields what it needs: an answer to a `Call`, a `Wait`, or the outcome of a function that may block. What goes
wrong with a step is raised inside the flow.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from mapae.client.errors import ClientError, LoginRefused, StepUpRequired, Unavailable, UnexpectedAnswer
from mapae.client.oauth_answers import (
    POLL_INTERVAL_S,
    DeviceCode,
    DevicePrompt,
    Metadata,
    Refusal,
    judge_device,
    judge_metadata,
    judge_redirect,
    judge_token,
    name_in_id_token,
    well_known,
)
from mapae.client.oauth_requests import (
    authorization_url,
    challenge_of,
    credentials_call,
    device_call,
    token_call,
    with_scope,
)
from mapae.client.records import GrantType, OAuthClient, OAuthGrant, Tokens
from mapae.client.transport import Call, Send
from mapae.clock import Clock
from mapae.entropy import Entropy
from mapae.jose import base64url
from mapae.secret import Secret

if TYPE_CHECKING:
    from mapae.client.loopback import Loopback

LONGEST_POLL_S = 60.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that takes this many seconds."""

    seconds: float


Outcome = TypeVar("Outcome")
Flow: TypeAlias = Generator[Call | Wait | Callable[[], Any], Any, Outcome]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a flow ends with. `username` is empty when the server did not say who signed in."""

    username: str
    tokens: Tokens
    grant: OAuthGrant


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """What every flow needs to know.

    Attributes:
        headers: sent with each request to the token endpoint.
    """

    issuer: str
    client: OAuthClient
    headers: Mapping[str, str]
    clock: Clock
    entropy: Entropy


def client_credentials_flow(request: SignInRequest) -> Flow[SignedIn]:
    """Sign in as the client itself (RFC 6749 section 4.4)."""
    metadata = yield from _discovery(request.issuer)
    grant = _grant(metadata, request.client, "client_credentials")
    asked_at = request.clock()
    answer = yield credentials_call(grant, request.headers)
    tokens = judge_token(answer, asked_at, scope=request.client.scope)
    if isinstance(tokens, Refusal):
        raise tokens.refused()
    return SignedIn(request.client.client_id, tokens, grant)


def browser_flow(
    request: SignInRequest,
    redirects: "Loopback",
    open_browser: Callable[[str], object],
    step_up: StepUpRequired | None,
) -> Flow[SignedIn]:
    """Sign in with a browser on this machine: authorization code with PKCE (RFC 8252, RFC 7636, RFC 9207)."""
    metadata = yield from _discovery(request.issuer)
    if metadata.authorization_endpoint is None:
        raise LoginRefused("unsupported_response_type", "the server has no page to sign in; use another way")
    client = with_scope(request.client, step_up)
    grant = _grant(metadata, client, "refresh_token")
    verifier = Secret(_drawn(request, 32))
    nonce = _drawn(request, 16) if "openid" in client.scope.split() else None
    parameters = {
        "redirect_uri": redirects.redirect_uri,
        "state": redirects.state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        **({} if nonce is None else {"nonce": nonce}),
    }
    yield partial(open_browser, authorization_url(metadata, client, parameters, step_up))
    code = judge_redirect((yield redirects.wait), metadata)
    redeemed = {
        "grant_type": "authorization_code",
        "code": code.reveal(),
        "redirect_uri": redirects.redirect_uri,
        "code_verifier": verifier.reveal(),
    }
    asked_at = request.clock()
    answer = yield token_call(grant, redeemed, request.headers)
    tokens = judge_token(answer, asked_at, scope=client.scope)
    if isinstance(tokens, Refusal):
        raise tokens.refused()
    name = name_in_id_token(answer, issuer=metadata.issuer, client_id=client.client_id, nonce=nonce)
    return SignedIn(name, tokens, grant)


def device_flow(
    request: SignInRequest, show: Callable[[DevicePrompt], object], step_up: StepUpRequired | None
) -> Flow[SignedIn]:
    """Sign in with a browser on another device (RFC 8628)."""
    metadata = yield from _discovery(request.issuer)
    if metadata.device_authorization_endpoint is None:
        raise LoginRefused("unsupported_grant_type", "the server signs in no devices; use another way")
    grant = _grant(metadata, with_scope(request.client, step_up), "refresh_token")
    device = judge_device((yield device_call(metadata.device_authorization_endpoint, grant, request.headers)))
    yield partial(show, device.prompt)
    return (yield from _polling(request, metadata, grant, device))


def _polling(
    request: SignInRequest, metadata: Metadata, grant: OAuthGrant, device: DeviceCode
) -> Flow[SignedIn]:
    parameters = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device.device_code.reveal(),
    }
    interval, waited = device.interval, 0.0
    while waited < device.prompt.expires_in:
        yield Wait(interval)
        waited += interval
        asked_at = request.clock()
        try:
            answer = yield token_call(grant, parameters, request.headers)
            outcome = judge_token(answer, asked_at, scope=grant.client.scope)
        except UnexpectedAnswer:
            raise
        except Unavailable as failure:
            # RFC 8628 section 3.5: on a time-out, clients MUST poll less often; twice the interval is suggested.
            interval = failure.retry_after or min(interval * 2, LONGEST_POLL_S)
            continue
        if isinstance(outcome, Tokens):
            client_id = grant.client.client_id
            name = name_in_id_token(answer, issuer=metadata.issuer, client_id=client_id, nonce=None)
            return SignedIn(name, outcome, grant)
        if outcome.code == "slow_down":
            interval += POLL_INTERVAL_S
        elif outcome.code != "authorization_pending":
            raise outcome.refused()
    raise LoginRefused("expired_token", "nobody entered the code in time; sign in again")


def drive(flow: Flow[Outcome], send: Send, sleep: Callable[[float], object]) -> Outcome:
    """Take the steps of a flow in this thread."""
    try:
        step = next(flow)
        while True:
            try:
                outcome: Any = None
                match step:
                    case Wait():
                        sleep(step.seconds)
                    case Call():
                        outcome = send(step)
                    case _:
                        outcome = step()
            except ClientError as problem:
                step = flow.throw(problem)
            else:
                step = flow.send(outcome)
    except StopIteration as end:
        result: Outcome = end.value
        return result


async def adrive(flow: Flow[Outcome], send: Send) -> Outcome:
    """Take the steps of a flow in a task: it waits without a thread; what may block runs in one."""
    import asyncio

    try:
        step = next(flow)
        while True:
            try:
                outcome: Any = None
                match step:
                    case Wait():
                        await asyncio.sleep(step.seconds)
                    case Call():
                        outcome = await asyncio.to_thread(send, step)
                    case _:
                        outcome = await asyncio.to_thread(step)
            except ClientError as problem:
                step = flow.throw(problem)
            else:
                step = flow.send(outcome)
    except StopIteration as end:
        result: Outcome = end.value
        return result


def _discovery(issuer: str) -> Flow[Metadata]:
    for url in well_known(issuer):
        answer = yield Call(url, None, {})
        if answer.status == 200:
            return judge_metadata(answer, issuer)
        if answer.status >= 500 or answer.status == 429:
            break
    raise Unavailable(
        f"{issuer} does not tell how to sign in (HTTP {answer.status}); check the address, or try again later",
        answer.retry_after,
    )


def _grant(metadata: Metadata, client: OAuthClient, grant_type: GrantType) -> OAuthGrant:
    method = metadata.auth_method(client.client_secret)
    return OAuthGrant(client, grant_type, metadata.token_endpoint, method, metadata.revocation_endpoint)


def _drawn(request: SignInRequest, size: int) -> str:
    return base64url.encode(request.entropy(size))
