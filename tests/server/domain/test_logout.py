"""What happens next with a request to be signed out, row by row of the table in `domain/logout`."""

import pytest

from mapae.oauth.client_metadata import ClientMetadata
from mapae.oauth.logout_request import LogoutRequest
from mapae.server.domain.clients import Client
from mapae.server.domain.logout import Confirm, End, LogoutStep, SignedOut, front_channel, next_step
from mapae.server.domain.problems import Problem, ProblemCode

BYE = "https://app.example.com/bye"
ASKING = "https://app.example.com/bye?from=op"
WEB = Client("web", ClientMetadata(post_logout_redirect_uris=(BYE, ASKING)))
SID = "session-1234"


def after(request: LogoutRequest, *, session_id: str | None = SID, confirmed: bool = False) -> LogoutStep:
    client = WEB if request.client_id == "web" else None
    return next_step(request, client, session_id=session_id, confirmed=confirmed)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("session_id", [SID, None])
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (LogoutRequest("nobody"), ProblemCode.UNKNOWN_CLIENT),
        (LogoutRequest("nobody", SID), ProblemCode.UNKNOWN_CLIENT),
        (LogoutRequest(None, None, BYE), ProblemCode.UNREGISTERED_REDIRECT_URI),
        (LogoutRequest("web", SID, BYE + "/"), ProblemCode.UNREGISTERED_REDIRECT_URI),
        (LogoutRequest("web", SID, BYE + "?a=b"), ProblemCode.UNREGISTERED_REDIRECT_URI),
    ],
)
def test_rows_1_and_2_who_is_refused(
    request_: LogoutRequest, code: ProblemCode, session_id: str | None, confirmed: bool
) -> None:
    with pytest.raises(Problem) as refused:
        after(request_, session_id=session_id, confirmed=confirmed)
    assert refused.value.code is code


def test_row_3_nobody_is_signed_in() -> None:
    assert after(LogoutRequest("web", SID, BYE), session_id=None) == SignedOut(WEB, BYE)


@pytest.mark.parametrize(
    ("request_", "continue_to"),
    [
        (LogoutRequest("web", SID), None),
        (LogoutRequest("web", SID, None, "a state"), None),
        (LogoutRequest("web", SID, BYE), BYE),
        (LogoutRequest("web", SID, BYE, "a&b"), f"{BYE}?state=a%26b"),
        (LogoutRequest("web", SID, ASKING, "s"), f"{ASKING}&state=s"),
    ],
)
def test_row_4_the_hint_names_this_session(request_: LogoutRequest, continue_to: str | None) -> None:
    assert after(request_) == End(SignedOut(WEB, continue_to))


@pytest.mark.parametrize("request_", [LogoutRequest(), LogoutRequest("web"), LogoutRequest("web", "another")])
def test_rows_5_and_6_the_word_of_the_user(request_: LogoutRequest) -> None:
    client = WEB if request_.client_id else None
    assert after(request_) == Confirm(client)
    assert after(request_, confirmed=True) == End(SignedOut(client, None))


def test_what_a_frame_shows() -> None:
    shown = front_channel("https://a.example/out?x=1", issuer="https://op.example", session_id="s")
    assert shown == "https://a.example/out?x=1&iss=https%3A%2F%2Fop.example&sid=s"
