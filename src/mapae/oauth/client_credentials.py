"""How a client says who it is in a request: the one method it uses, and what it presents (RFC 6749 section 2.3)."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.secret import Secret

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class JustNamed:
    """The client names itself and proves nothing."""

    client_id: str
    method = "none"


@dataclass(frozen=True, slots=True)
class WithSecret:
    """A secret, by `client_secret_basic` or `client_secret_post`."""

    client_id: str
    secret: Secret
    method: str


@dataclass(frozen=True, slots=True)
class WithAssertion:
    """A signed assertion. `client_id` is there where the request names it besides."""

    client_id: str | None
    assertion: str
    method = "private_key_jwt"


ClientCredentials = JustNamed | WithSecret | WithAssertion


def presented(authorization: Sequence[str], form: Mapping[str, str]) -> ClientCredentials:
    """What a request presents.

    Args:
        authorization: the value of each `Authorization` header.
        form: the parameters of the body; an empty one counts as absent (RFC 6749 section 3.2).
    Raises:
        OAuthError: INVALID_REQUEST when more than one method is used, or two clients are named; INVALID_CLIENT when
            no client is named, or what is presented is malformed or of an unknown kind.

    Implements: RFC 6749 section 2.3.1, RFC 7521 section 4.2.
    """
    named, secret = form.get("client_id") or None, form.get("client_secret")
    assertion, kind = form.get("client_assertion"), form.get("client_assertion_type")
    # RFC 6749 section 2.3: the client MUST NOT use more than one authentication method in each request.
    if len(authorization) + bool(secret) + bool(assertion) > 1:
        raise OAuthError(ErrorCode.INVALID_REQUEST, detail="more than one way to authenticate the client")
    if authorization:
        basic = _basic(authorization[0])
        if named not in (None, basic.client_id):
            raise OAuthError(ErrorCode.INVALID_REQUEST, detail="two values of client_id")
        return basic
    if assertion:
        if kind != JWT_BEARER:
            raise _unknown("client_assertion_type is missing or not that of a JWT")
        return WithAssertion(named, assertion)
    if named is None:
        raise _unknown("no client is named")
    return WithSecret(named, Secret(secret), "client_secret_post") if secret else JustNamed(named)


def _basic(header: str) -> WithSecret:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _unknown("the Authorization header is not Basic")
    try:
        client_id, colon, secret = b64decode(encoded.strip(" "), validate=True).decode().partition(":")
        # RFC 6749 section 2.3.1: both are encoded as in a form.
        client_id, secret = (unquote_plus(part, errors="strict") for part in (client_id, secret))
    except ValueError:
        raise _unknown("what follows Basic is no base64 of UTF-8") from None
    if not colon or not client_id:
        raise _unknown("no client_id or no colon after Basic")
    return WithSecret(client_id, Secret(secret), "client_secret_basic")


def _unknown(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_CLIENT, detail=detail)
