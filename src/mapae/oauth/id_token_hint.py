"""`id_token_hint`: an ID token of ours that comes back (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 2)."""

from dataclasses import dataclass

from mapae.jose import jws, jwt
from mapae.jose.errors import JoseError, JoseErrorCode, malformed
from mapae.jose.jwks import JwkSet
from mapae.oauth.errors import ErrorCode, OAuthError


@dataclass(frozen=True, slots=True)
class IdTokenHint:
    """Whom a client once was told of, in which session; `client_id` is that client."""

    client_id: str
    subject: str
    session_id: str | None


def read_id_token_hint(token: str, keys: JwkSet, *, issuer: str) -> IdTokenHint | None:
    """What the token says, or None when it is signed with a key that is no longer there: then it says nothing.

    Raises:
        OAuthError: INVALID_REQUEST when it is no ID token, not of this issuer, or not as it was signed.

    Does not check: `exp`. Old ID tokens are good hints (RP-Initiated Logout section 2).
    """
    try:
        parts = jws.split(token)
        # RFC 8725 section 3.11: an access token or a logout token is no ID token.
        if "typ" in parts.header:
            jwt.check_type(parts.header, "JWT")
        claims = jwt.parse_claims(parts.payload)
        jwt.check_issuer(claims, issuer)
        algorithms = {name for key in keys for name in key.algorithms}
        jws.verify(parts, keys.key_for(parts.header, algorithms), algorithms)
        return _hint(claims)
    except JoseError as error:
        if error.code is JoseErrorCode.UNKNOWN_KEY:
            return None
        raise OAuthError(
            ErrorCode.INVALID_REQUEST, detail=str(error), description="The id_token_hint is not valid."
        ) from None


def _hint(claims: dict[str, object]) -> IdTokenHint:
    client_id, subject, session_id = claims.get("aud"), claims.get("sub"), claims.get("sid")
    if not isinstance(client_id, str) or not isinstance(subject, str):
        raise malformed("aud or sub is no string")
    return IdTokenHint(client_id, subject, session_id if isinstance(session_id, str) else None)
