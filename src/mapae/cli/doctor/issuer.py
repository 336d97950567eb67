"""Checks of a server from outside, as its clients and the APIs that trust it see it."""

import ssl
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from mapae.cli.doctor.finding import Finding, fail, ok, warn
from mapae.cli.errors import ExitCode
from mapae.cli.moments import span
from mapae.cli.output import counted
from mapae.clock import monotonic_clock
from mapae.verifier.discovery import fetch_keys, metadata_urls
from mapae.verifier.fetch import FetchFailed, connection_to

TIME_LIMIT_S: Final = 5.0
#: The leeway of verifiers: beyond it, a token is refused for a clock that is wrong.
CLOCK_TOLERANCE_S: Final = 30
RENEWAL_DUE_S: Final = 14 * 86_400


class _Heard(NamedTuple):
    date: str
    certificate: Any  # as `SSLSocket.getpeercert` has it; None over http


def issuer_findings(issuer: str, now: float) -> Iterator[Finding]:
    """Knock at the server, look at its certificate and its clock, and fetch its keys as an API does."""
    try:
        heard = _knock(metadata_urls(issuer)[0])
    except (OSError, HTTPException) as problem:
        yield fail(issuer, _why_not(problem), ExitCode.NETWORK)
        return
    yield ok(issuer, "can be reached")
    if heard.certificate is not None:
        begins, ends = (
            ssl.cert_time_to_seconds(heard.certificate[name]) for name in ("notBefore", "notAfter")
        )
        yield certificate_finding(issuer, begins, ends, now)
    yield _clock_finding(issuer, heard.date, now)
    try:
        keys = fetch_keys(issuer, deadline=monotonic_clock() + TIME_LIMIT_S, clock=monotonic_clock).keys
    except FetchFailed as problem:
        yield fail(
            issuer,
            f"APIs cannot check its tokens: {problem}; its operator has to correct that",
            ExitCode.REFUSED,
        )
    else:
        yield ok(issuer, f"discovery names this issuer, and {counted(len(keys), 'key')} to check tokens with")


def certificate_finding(about: str, begins: float, ends: float, now: float) -> Finding:
    """Whether a certificate is good at `now`, and for long enough; all in NumericDate seconds.

    Short-lived ones are renewed late by design: it is due when two weeks and a third of its life are left.
    """
    if now < begins:
        return fail(
            about, "the certificate is not valid yet; check the clock, or give another", ExitCode.REFUSED
        )
    if now >= ends:
        return fail(about, f"the certificate ended {span(now - ends)} ago; renew it", ExitCode.REFUSED)
    if ends - now < min(RENEWAL_DUE_S, (ends - begins) / 3):
        return warn(about, f"the certificate ends in {span(ends - now)}; renew it")
    return ok(about, f"the certificate ends in {span(ends - now)}")


def _knock(url: str) -> _Heard:
    parts = urlsplit(url)
    with closing(connection_to(parts, timeout=TIME_LIMIT_S)) as connection:
        connection.connect()
        sock = connection.sock
        certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
        connection.request("GET", parts.path)
        return _Heard(connection.getresponse().getheader("Date", ""), certificate)


def _clock_finding(issuer: str, date: str, now: float) -> Finding:
    try:
        ahead = now - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return warn(issuer, "says no date, so that clocks cannot be compared")
    if abs(ahead) <= CLOCK_TOLERANCE_S:
        return ok(issuer, "its clock and that of this machine agree")
    direction = "ahead of" if ahead > 0 else "behind"
    return warn(
        issuer,
        f"the clock of this machine is {span(abs(ahead))} {direction} its clock; set the one that is wrong, "
        "or APIs refuse good tokens",
    )


def _why_not(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"is not trusted: {problem.verify_message}; renew its certificate, or name its CA in SSL_CERT_FILE"
    reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return f"cannot be reached: {reason}; check the address, and that the server runs"
