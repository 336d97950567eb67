"""The client's own calls to its server: small documents over HTTP, by the standard library alone.

No redirects are followed. Certificates are checked against the system's authorities or `SSL_CERT_FILE`.
https goes through the proxy of the environment, http (this machine only) never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from mapae.client.errors import AnswerLost, Unavailable, UnexpectedAnswer
from mapae.client.origin import protected_origin
from mapae.clock import monotonic_clock

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.error import HTTPError
    from urllib.request import OpenerDirector

    from mapae.client.answer import Answer

TIME_LIMIT_S: Final = 10.0
SIZE_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One request: a GET without a body, else a POST. Body and headers hold secrets and stay out of `repr`.

    Attributes:
        body: JSON, unless the headers say otherwise.
        time_limit_s: for connecting, for each wait, and for the body of the answer as a whole.
    """

    url: str
    body: bytes | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    time_limit_s: float = TIME_LIMIT_S


Send: TypeAlias = "Callable[[Call], Answer]"


def send(call: Call) -> Answer:
    """Send and return the answer, whatever its status.

    Raises:
        Unavailable: no connection, or no answer in time.
        AnswerLost: the connection broke after the request had gone out.
        UnexpectedAnswer: an answer larger than 64 KiB.
        Misuse: plain http to another machine.
    """
    # Imported here: `mapae token` with a token that is still good has no time for HTTP modules.
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request

    origin = protected_origin(call.url)
    fixed = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "mapae"}
    request = Request(call.url, call.body, {**fixed, **call.headers})  # noqa: S310 - scheme checked
    try:
        try:
            response = _opener(origin).open(request, timeout=call.time_limit_s)
        except HTTPError as refusal:  # any status outside 2xx, redirects too
            response = refusal
        with response:
            return _read(response, origin, monotonic_clock() + call.time_limit_s)
    except URLError as problem:
        raise Unavailable(_unreachable(origin, problem.reason)) from problem
    except TimeoutError as problem:
        raise Unavailable(f"{origin} did not answer in time; try again later") from problem
    except (HTTPException, OSError) as problem:
        raise AnswerLost(f"the connection to {origin} broke: {_why(problem)}; try again") from problem


def _opener(origin: str) -> OpenerDirector:
    from ssl import create_default_context
    from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, build_opener

    class NoRedirects(HTTPRedirectHandler):
        """Credentials go where they were sent and nowhere else."""

        def redirect_request(self, *_: object) -> None:
            return None

    if origin.startswith("http://"):
        return build_opener(NoRedirects, ProxyHandler({}))
    # Named, because some programs replace the default of urllib with a context that believes everybody.
    return build_opener(NoRedirects, HTTPSHandler(context=create_default_context()))


def _read(response: HTTPResponse | HTTPError, origin: str, deadline: float) -> Answer:
    body = bytearray()
    while chunk := response.read1(SIZE_LIMIT):
        body += chunk
        if len(body) > SIZE_LIMIT:
            raise UnexpectedAnswer(f"{origin} sent more than {SIZE_LIMIT} bytes; check the address")
        if monotonic_clock() > deadline:
            raise TimeoutError
    from mapae.client.answer import Answer

    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status or 0, headers, bytes(body))


def _unreachable(origin: str, reason: object) -> str:
    from ssl import SSLCertVerificationError

    if isinstance(reason, SSLCertVerificationError):
        fault = reason.verify_message
        return (
            f"{origin} is not trusted: {fault}; name the file of your own authority, if any, in SSL_CERT_FILE"
        )
    return f"{origin} cannot be reached: {_why(reason)}; try again later"


def _why(problem: object) -> str:
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
