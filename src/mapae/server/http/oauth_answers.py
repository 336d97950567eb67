"""Answers of the OAuth endpoints: their errors are those of RFC 6749 section 5.2."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps

import structlog
from starlette.requests import Request
from starlette.responses import Response

from mapae.oauth.bearer import challenge
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.server.adapters.argon2_hasher import HashingBusy
from mapae.server.adapters.key_holders import HolderUnavailable
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.problems import Problem
from mapae.server.http.answers import NO_STORE_OAUTH, json_answer
from mapae.server.http.errors import answer_to
from mapae.server.store.engine import StoreUnavailable
from mapae.verifier import TokenRejected

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]


def in_oauth(endpoint: Endpoint, metrics: Metrics) -> Endpoint:
    """`endpoint`, with its refusals answered and counted as OAuth errors. What nobody foresaw goes on to the front."""

    def show(problem: Problem, headers: Mapping[str, str]) -> Response:
        return shown(_error_of(problem), problem.code.status, headers)

    def shown(error: OAuthError, status: int, headers: Mapping[str, str]) -> Response:
        metrics.refused(endpoint.__name__, error.code.value)
        members = {"error": error.code.value, "error_description": error.description, **error.members}
        return json_answer(members, status=status, headers=headers)

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OAuthError as error:
            log.info("refused", code=error.code.value, detail=error.detail)
            return shown(error, error.code.status, _headers(error.code))
        except (Problem, HashingBusy, StoreUnavailable, HolderUnavailable) as error:
            return answer_to(error, show)
        except TokenRejected as error:
            # RFC 6750 section 3: the challenge says it all.
            return answer_to(error)

    return answered


def _headers(code: ErrorCode) -> Mapping[str, str]:
    if code.status != 401:
        return NO_STORE_OAUTH
    # RFC 9110 section 15.5.2: a 401 MUST carry a challenge; RFC 6749 section 5.2: that of the scheme that was tried.
    return {**NO_STORE_OAUTH, "WWW-Authenticate": challenge("Basic", realm="mapae")}


def _error_of(problem: Problem) -> OAuthError:
    """A problem that no OAuth error is for, in the code that comes nearest; its status stays."""
    later = problem.retry_after_s is not None
    code = ErrorCode.TEMPORARILY_UNAVAILABLE if later else ErrorCode.INVALID_REQUEST
    return OAuthError(code, description=problem.told)
