"""Why a JOSE object was refused: one exception, one code a reason."""

from enum import StrEnum


class JoseErrorCode(StrEnum):
    """What was wrong, in a word that stays the same from release to release."""

    MALFORMED = "malformed"
    ALGORITHM_REFUSED = "algorithm_refused"
    UNKNOWN_KEY = "unknown_key"
    UNUSABLE_KEY = "unusable_key"
    BAD_SIGNATURE = "bad_signature"
    WRONG_TYPE = "wrong_type"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"


class JoseError(Exception):
    """A token, key or key set that is not to be used.

    `detail` is for the log: it says which rule was broken and never quotes the token or the key.
    """

    def __init__(self, code: JoseErrorCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


def malformed(detail: str) -> JoseError:
    """The error for text that is not what its specification says."""
    return JoseError(JoseErrorCode.MALFORMED, detail)


def unusable_key(detail: str) -> JoseError:
    """The error for a key that is weak, wrong, or not for this."""
    return JoseError(JoseErrorCode.UNUSABLE_KEY, detail)
