"""Password sign-in: who is admitted."""

from dataclasses import dataclass
from typing import assert_never

from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.users import User


@dataclass(frozen=True, slots=True)
class Admitted:
    """The user may have a session."""

    user: User


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """The user may not. `user_id` is for the audit trail, where the name belongs to somebody."""

    code: ProblemCode
    user_id: str | None


def judge(user: User | None, *, password_right: bool) -> Admitted | NotAdmitted:
    """Decide a sign-in.

    An unknown user and a wrong password are one answer; that a user is disabled is told only to who knows the
    password. Does not check: limits on guessing.
    """
    match user:
        case None:
            return NotAdmitted(ProblemCode.INVALID_CREDENTIALS, None)
        case User() if not password_right:
            return NotAdmitted(ProblemCode.INVALID_CREDENTIALS, user.id)
        case User() if user.disabled_at is not None:
            return NotAdmitted(ProblemCode.USER_DISABLED, user.id)
        case User():
            return Admitted(user)
        case _:
            assert_never(user)
