"""What the answers of the session API mean, and when to try again, without I/O."""

from dataclasses import dataclass

from mapae.client.answer import LONGEST_WAIT_S, Answer, seconds, secret
from mapae.client.errors import (
    InvalidCredentials,
    LoginRefused,
    TooManyAttempts,
    Unavailable,
    UnexpectedAnswer,
)
from mapae.client.records import Tokens


@dataclass(frozen=True, slots=True)
class Ended:
    """The server will never accept this refresh token again, and why."""

    reason: str


def judge_login(answer: Answer, asked_at: float) -> Tokens:
    """The tokens in the answer to a sign-in.

    Args:
        asked_at: when it was sent, by our clock; taken before, so that a slow answer makes no token seem younger.

    Raises:
        InvalidCredentials, TooManyAttempts, LoginRefused: the server said no.
        Unavailable, UnexpectedAnswer: it said nothing of the kind.
    """
    if answer.status == 200:
        return _tokens(answer, asked_at)
    problem = answer.members
    code = problem.get("code")
    if not isinstance(code, str) or answer.status >= 500:
        raise unavailable(answer)
    if code == "invalid_credentials":
        raise InvalidCredentials(code, "wrong user name or password")
    if answer.status == 429:
        wait = answer.retry_after
        when = f"wait {wait:.0f} s, then try again" if wait is not None else "try again later"
        raise TooManyAttempts(code, f"too many attempts; {when}", wait)
    reason = problem.get("detail") or problem.get("title") or code
    raise LoginRefused(code, f"the server refused to sign in: {reason}")


def judge_refresh(answer: Answer, asked_at: float) -> Tokens | Ended:
    """What the answer to a refresh means. Only the two 401 codes of the protocol end anything.

    Args:
        asked_at: as for `judge_login`.

    Raises:
        Unavailable, UnexpectedAnswer: everything else; the refresh token may well be alive.
    """
    if answer.status == 200:
        return _tokens(answer, asked_at)
    problem = answer.members
    if answer.status == 401 and problem.get("code") == "session_ended":
        reason = problem.get("reason")
        return Ended(reason if isinstance(reason, str) else "session_ended")
    if answer.status == 401 and problem.get("code") == "invalid_refresh_token":
        return Ended("invalid_refresh_token")
    raise unavailable(answer)


def unavailable(answer: Answer) -> Unavailable:
    """The error for an answer that settles nothing."""
    if answer.status == 429 or answer.status >= 500:
        return Unavailable(
            f"the server is not able to answer now (HTTP {answer.status}); try again later",
            answer.retry_after,
        )
    return UnexpectedAnswer(
        f"unexpected answer (HTTP {answer.status}); check that the address is that of a Mapae server"
    )


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to leave a struggling server alone: as it says, else 1, 2, 4 … 300 s, shortened by chance.

    Attributes:
        failures: in a row.
        until: moment of the monotonic clock before which nothing is sent.
    """

    failures: int = 0
    until: float = 0.0

    def after(self, failure: Unavailable, chance: float, now: float) -> "Backoff":
        """One failure more. `chance` is in [0, 1): callers that failed together do not return together."""
        wait = failure.retry_after
        if wait is None:
            wait = min(2.0**self.failures, LONGEST_WAIT_S) * (0.5 + chance / 2)
        return Backoff(min(self.failures + 1, 16), now + wait)


def _tokens(answer: Answer, asked_at: float) -> Tokens:
    members = answer.members
    try:
        life = seconds(members["expires_in"])
        server_now = answer.date
        server_now = asked_at if server_now is None else server_now
        return Tokens(
            access_token=secret(members["access_token"]),
            expires_at=server_now + life,
            life_s=life,
            skew_s=server_now - asked_at,
            refresh_token=secret(members["refresh_token"]),
            refresh_expires_at=server_now + seconds(members["refresh_expires_in"]),
            session_id=str(members["session_id"]),
            scope=str(members["scope"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise UnexpectedAnswer(
            "the answer holds no tokens; check that the address is that of a Mapae server"
        ) from None
