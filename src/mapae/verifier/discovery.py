"""From an issuer's URL to its keys (RFC 8414, OpenID Connect Discovery 1.0)."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mapae.clock import Clock
from mapae.jose.errors import JoseError
from mapae.jose.jwks import JwkSet
from mapae.verifier.fetch import FetchFailed, get


class FetchedKeys(NamedTuple):
    """A key set, and the seconds the issuer lets us keep it."""

    keys: JwkSet
    max_age_s: int | None


def fetch_keys(issuer: str, *, deadline: float, clock: Clock) -> FetchedKeys:
    """The public keys of `issuer`, by way of its metadata.

    Args:
        deadline: moment of `clock` by which all of it has to be done
    Raises:
        FetchFailed: no metadata, metadata of another issuer, no usable key set.

    Implements: RFC 8414 sections 3 and 3.3, OpenID Connect Discovery 1.0 section 4.
    """
    jwks_uri = _metadata(issuer, deadline, clock).get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise FetchFailed(f"the metadata of {issuer} names no jwks_uri")
    document = get(jwks_uri, deadline=deadline, clock=clock)
    try:
        keys = JwkSet.parse(document.members)
    except JoseError as error:
        raise FetchFailed(f"{jwks_uri}: {error.detail}") from None
    if not len(keys):
        raise FetchFailed(f"{jwks_uri}: no key that can verify signatures")
    return FetchedKeys(keys, document.max_age_s)


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Where the metadata may be: OpenID Connect appends to the issuer, RFC 8414 inserts before its path."""
    parts = urlsplit(issuer)
    inserted = parts._replace(path=f"/.well-known/oauth-authorization-server{parts.path.rstrip('/')}")
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration", inserted.geturl()


def _metadata(issuer: str, deadline: float, clock: Clock) -> dict[str, Any]:
    openid, oauth = metadata_urls(issuer)
    try:
        metadata = get(openid, deadline=deadline, clock=clock).members
    except FetchFailed as first:
        try:
            metadata = get(oauth, deadline=deadline, clock=clock).members
        except FetchFailed:
            raise first from None
    # RFC 8414 section 3.3: the issuer value returned MUST be identical, else the data MUST NOT be used.
    if metadata.get("issuer") != issuer:
        raise FetchFailed(f"the metadata at {issuer} is of another issuer")
    return metadata
