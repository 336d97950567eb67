"""What the documentation says of each code beyond the code's own words: a line for every code."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeVar

from mapae.cli.errors import ExitCode
from mapae.server.domain.families import Report
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.sessions import EndReason
from mapae.verifier import RejectionCode

Code = TypeVar("Code", bound=Enum)

#: What whoever gets this problem does.
PROBLEMS: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.INVALID_REQUEST: "Correct the request; `detail` names the member or header.",
    ProblemCode.UNKNOWN_SCOPE: "Ask for scopes of one API that the set-up names, or for none.",
    ProblemCode.UNKNOWN_CLIENT: "Register the client; at `/auth/login` leave `client_id` out.",
    ProblemCode.UNREGISTERED_REDIRECT_URI: "Register it, character by character, or correct the request.",
    ProblemCode.TOKEN_MISSING: "Send `Authorization: Bearer` and the access token.",
    ProblemCode.INVALID_TOKEN: "Refresh, then repeat the request.",
    ProblemCode.INVALID_CREDENTIALS: "Ask the person again. Unknown user and wrong password are one answer.",
    ProblemCode.SESSION_ENDED: "Delete the tokens, tell the person why (`reason`, `ended_at`), sign in again.",
    ProblemCode.INVALID_REFRESH_TOKEN: "Delete the tokens and sign in again.",
    ProblemCode.USER_DISABLED: "Nothing the client can do. Told only after the right password.",
    ProblemCode.FIRST_PARTY_ONLY: "Nothing: a token of an OAuth client is for APIs, not for sessions and passwords.",
    ProblemCode.INSUFFICIENT_SCOPE: "Sign in with the scope that the challenge names.",
    ProblemCode.CROSS_SITE_REQUEST: "Open the page again and send its form from there, with cookies allowed.",
    ProblemCode.NOT_FOUND: "Check the address.",
    ProblemCode.SESSION_NOT_FOUND: "List the sessions again; this one may be over.",
    ProblemCode.METHOD_NOT_ALLOWED: "Use a method that `Allow` names.",
    ProblemCode.REQUEST_TIMEOUT: "Send the request again, faster.",
    ProblemCode.BODY_TOO_LARGE: "Send less than 16 KiB.",
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: "Send `Content-Type: application/json`.",
    ProblemCode.TOO_MANY_ATTEMPTS: "Wait as long as `Retry-After` says.",
    ProblemCode.HEAD_TOO_LARGE: "Send fewer and shorter headers: 16 KiB and 100 headers at most.",
    ProblemCode.SERVER_ERROR: "Tell the operator the `incident`: the log has the rest under that `request_id`.",
    ProblemCode.BUSY: "Wait as long as `Retry-After` says. More `MAPAE_HASHING_THREADS` if it happens often.",
    ProblemCode.SIGNING_UNAVAILABLE: "Wait as long as `Retry-After` says, then send the same again.",
    ProblemCode.DATABASE_UNAVAILABLE: "Wait as long as `Retry-After` says, then send the same again.",
}

#: What happened to a session that ended for this reason.
END_REASONS: Final[Mapping[EndReason, str]] = {
    EndReason.EXPIRED: "Its absolute end came (`MAPAE_SESSION_LIFE`).",
    EndReason.IDLE: "Nobody refreshed for `MAPAE_SESSION_IDLE`.",
    EndReason.LOGGED_OUT: "The user signed out, here or with `others` or `all` elsewhere.",
    EndReason.REPLAYED: "A refresh token was used in a way that only a copy explains. One of the two was a thief.",
    EndReason.PASSWORD_CHANGED: "The user's password was changed.",
    EndReason.USER_DISABLED: "An operator disabled the user.",
    EndReason.REVOKED_BY_USER: "The user ended it from another session.",
    EndReason.REVOKED_BY_ADMIN: "An operator ended it, or the user had more than `MAPAE_SESSIONS_PER_USER`.",
    EndReason.CLIENT_REMOVED: "The client it was made for is no more.",
    EndReason.KEY_LOST: "The server can no longer tell this token from a forgery: other secret key, restored database.",
}

#: What the caller of the API does about this rejection.
REJECTIONS: Final[Mapping[RejectionCode, str]] = {
    RejectionCode.MISSING: "Send a token.",
    RejectionCode.MALFORMED: "Send the access token as it was issued, in one `Authorization` header.",
    RejectionCode.BAD_SIGNATURE: "Get another token. If it goes on, somebody changes tokens on the way.",
    RejectionCode.UNKNOWN_KEY: "Get another token; the key of this one is not published (any more).",
    RejectionCode.WRONG_ISSUER: "Sign in at the issuer that this API trusts.",
    RejectionCode.WRONG_AUDIENCE: "Ask for a token of this API.",
    RejectionCode.WRONG_TYPE: "Send the access token, not an ID token or another JWT.",
    RejectionCode.EXPIRED: "Refresh, then repeat the request.",
    RejectionCode.NOT_YET_VALID: "Compare the clocks of issuer and API.",
    RejectionCode.REVOKED: "Sign in again.",
    RejectionCode.WRONG_BINDING: "The token is bound to a key, and this API cannot check proofs.",
    RejectionCode.INSUFFICIENT_SCOPE: "Sign in with the scope that the challenge names; if none, a role is missing.",
    RejectionCode.INSUFFICIENT_USER_AUTHENTICATION: "Have the user sign in again, as `max_age` and `acr_values` of the "
    "challenge say (RFC 9470).",
    RejectionCode.KEYS_UNAVAILABLE: "Try again shortly: the issuer cannot be reached, and its keys are not known here.",
}

#: What the shell learns from an exit code.
EXIT_CODES: Final[Mapping[ExitCode, str]] = {
    ExitCode.DONE: "Done.",
    ExitCode.REFUSED: "The server refused, or cannot start; the line on stderr says why.",
    ExitCode.USAGE: "Wrong usage, settings or set-up file. Nothing was done.",
    ExitCode.SIGN_IN_NEEDED: "Nobody is signed in, or the session is over: `mapae login URL`.",
    ExitCode.NETWORK: "The server cannot be reached or does not answer. Nothing stored was touched.",
    ExitCode.LOCAL_STORE: "The file with the tokens cannot be read, written or trusted.",
    ExitCode.INTERRUPTED: "Ended by Ctrl-C.",
}

#: What was seen when a refresh is reported.
REPORTS: Final[Mapping[Report, str]] = {
    Report.OTHER_CLIENT: "The token belongs to another client. Refused; nothing ended.",
    Report.DPOP_MISMATCH: "The proof is missing or by another key. Refused; nothing ended.",
    Report.OLD_TOKEN_ELSEWHERE: "A token of turn n-2 or older from another installation. Refused; nothing ended.",
    Report.FORGOTTEN_TURN: "A token of a turn that the database does not know: it was restored, or failed over.",
    Report.UNKNOWN_TURN: "The same, from a client that names no installation. Refused (`key_lost`); nothing ended.",
    Report.LATE_REPLAY: "The previous token, late, from a client that names no installation. Answered, once.",
    Report.MANY_LATE_REPLAYS: "More than 8 late replays within one turn. Nothing ended.",
    Report.THEFT: "Two parties hold the family. It ended with `replayed`.",
}


def told(advice: Mapping[Code, str], kind: type[Code]) -> Mapping[Code, str]:
    """`advice`, in the order of the codes, of which each has to have a line."""
    missing = [code.value for code in kind if code not in advice]
    if missing:
        raise LookupError(f"docs/advice.py says nothing of {kind.__name__} {', '.join(map(str, missing))}")
    return {code: advice[code] for code in kind}
