"""Errors on the wire: every failure becomes a problem with a stable code, a document (RFC 9457) or a page."""

from collections.abc import Callable, Mapping

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mapae.server.adapters.argon2_hasher import HashingBusy
from mapae.server.adapters.key_holders import HolderUnavailable
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.answers import NO_STORE, json_answer
from mapae.server.store.engine import StoreUnavailable
from mapae.verifier import RejectionCode, TokenRejected

log = structlog.get_logger()

#: Seconds after which a caller may try again when the database could not be used.
DATABASE_RETRY_AFTER_S = 1

#: How a problem is shown: takes the problem and the headers of its answer.
Show = Callable[[Problem, Mapping[str, str]], Response]

_OF_STATUS = {404: ProblemCode.NOT_FOUND, 405: ProblemCode.METHOD_NOT_ALLOWED}


def document(problem: Problem, headers: Mapping[str, str]) -> Response:
    """A problem as it is shown to machines."""
    return json_answer(
        {
            "type": "about:blank",
            "title": problem.code.words,
            "status": problem.code.status,
            "detail": problem.told,
            "code": problem.code.value,
            **problem.members,
        },
        status=problem.code.status,
        headers=headers,
        media_type="application/problem+json",
    )


def respond(problem: Problem, show: Show = document) -> Response:
    """The answer that `problem` is to the caller; its `detail` stays here."""
    headers = dict(NO_STORE)
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    if problem.code.status == 401:
        # RFC 9110 section 15.5.2: a 401 MUST carry a challenge.
        headers["WWW-Authenticate"] = problem.challenge or "Bearer"
    elif problem.challenge:
        headers["WWW-Authenticate"] = problem.challenge
    return show(problem, headers)


def answer_to(error: Exception, show: Show = document) -> Response:
    """The answer that `error` is to the caller. What only we may know of it goes to the log."""
    match error:
        case Problem():
            log.info("refused", code=error.code.value, detail=error.detail)
            return respond(error, show)
        case TokenRejected():
            return _token_rejected(error, show)
        case HashingBusy():
            log.warning("hashing_busy")
            return respond(Problem(ProblemCode.BUSY, retry_after_s=error.retry_after_s), show)
        case StoreUnavailable():
            log.error("database_unavailable", detail=str(error))
            return respond(
                Problem(ProblemCode.DATABASE_UNAVAILABLE, retry_after_s=DATABASE_RETRY_AFTER_S), show
            )
        case HolderUnavailable():
            log.error("signing_unavailable", detail=str(error))
            return respond(
                Problem(ProblemCode.SIGNING_UNAVAILABLE, retry_after_s=DATABASE_RETRY_AFTER_S), show
            )
        case HTTPException():
            response = respond(Problem(_OF_STATUS.get(error.status_code, ProblemCode.INVALID_REQUEST)), show)
            response.headers.update(error.headers or {})
            return response
        case _:
            # The caller gets the id of the incident, under which the log has everything else.
            log.error("server_error", exc_info=error)
            incident = structlog.contextvars.get_contextvars()["request_id"]
            return respond(Problem(ProblemCode.SERVER_ERROR, members={"incident": incident}), show)


def _token_rejected(error: TokenRejected, show: Show) -> Response:
    match error.code:
        case RejectionCode.MISSING:
            code = ProblemCode.TOKEN_MISSING
        case RejectionCode.INSUFFICIENT_SCOPE:
            code = ProblemCode.INSUFFICIENT_SCOPE
        case _ if error.status == 400:
            code = ProblemCode.INVALID_REQUEST
        case _:
            code = ProblemCode.INVALID_TOKEN
    log.info("refused", code=code.value, detail=str(error))
    return respond(Problem(code, told=error.description, challenge=error.challenge()), show)
