"""Authorization codes: what one stands for, and what presenting it does (RFC 6749 section 4.1.3). Pure.

| state | presented | result |
|---|---|---|
| any | by another client than it was given to | `CodeRefused`: nothing changes |
| redeemed | by its client, whatever else is said | `CodeReplayed`: what its first use began has to end |
| past its end | by its client | `CodeRefused` |
| live | other redirect URI, or none; other verifier, none, or one where there was no challenge | `CodeRefused` |
| live | the right way | `Redeemed` |
"""

from dataclasses import dataclass, replace
from typing import Final

from mapae.jose import base64url
from mapae.oauth.claims_request import NO_CLAIMS, ClaimsRequest
from mapae.oauth.errors import OAuthError
from mapae.oauth.pkce import Challenge
from mapae.secret import Secret

#: Seconds from the answer of the authorization endpoint to the request at the token endpoint.
CODE_LIFE_S: Final = 60
CODE_BYTES: Final = 32


def code_of(random: bytes) -> Secret:
    """The code that these `CODE_BYTES` random bytes are. Kept is only its `digest()`."""
    return Secret(base64url.encode(random))


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One row. `digest` is SHA-256 of the code; moments are NumericDate seconds of the database's clock.

    `subject` is what the client knows the user as, None for the user's id; `scope` and `audience` are what was
    granted; `auth_time` is when the user was authenticated.
    `family_id` is what its first use began.
    """

    digest: bytes
    client_id: str
    session_id: str
    redirect_uri: str
    scope: str
    audience: str
    auth_time: int
    expires_at: int
    subject: str | None = None
    challenge: Challenge | None = None
    nonce: str | None = None
    claims: ClaimsRequest = NO_CLAIMS
    redeemed_at: int | None = None
    family_id: str | None = None


@dataclass(frozen=True, slots=True)
class CodePresented:
    """What a token request brought beside the code."""

    client_id: str
    redirect_uri: str | None
    verifier: Secret | None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The code as it has to be kept: spent for the family whose id was handed over."""

    code: Code


@dataclass(frozen=True, slots=True)
class CodeReplayed:
    """The code was used before: nothing is handed out, and the family it began has to end."""

    family_id: str


@dataclass(frozen=True, slots=True)
class CodeRefused:
    """Nothing is handed out and nothing changes; `detail` is for the log."""

    detail: str


def redeem(
    code: Code, presented: CodePresented, *, family_id: str, now: int
) -> Redeemed | CodeReplayed | CodeRefused:
    """Decide what presenting this code does.

    Args:
        family_id: the family that a redemption will begin.

    Implements: the table above; RFC 6749 sections 4.1.2, 4.1.3 and 10.5, RFC 7636 section 4.6.
    Does not check: the client's authentication, and that session and user are still there.
    """
    if presented.client_id != code.client_id:
        return CodeRefused("the code of another client")
    if code.redeemed_at is not None and code.family_id is not None:
        return CodeReplayed(code.family_id)
    if now >= code.expires_at:
        return CodeRefused("the code has expired")
    if presented.redirect_uri != code.redirect_uri:
        return CodeRefused("redirect_uri is not that of the authorization request")
    if fault := _verifier_fault(code.challenge, presented.verifier):
        return CodeRefused(fault)
    return Redeemed(replace(code, redeemed_at=now, family_id=family_id))


def _verifier_fault(challenge: Challenge | None, verifier: Secret | None) -> str | None:
    if challenge is None:
        # RFC 9700 section 4.8.2: a verifier for a request without challenge is a downgrade attack.
        return None if verifier is None else "code_verifier for a request without code_challenge"
    if verifier is None:
        return "code_verifier is missing"
    try:
        challenge.require(verifier)
    except OAuthError as refused:
        return refused.detail
    return None
