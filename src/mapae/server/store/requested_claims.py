"""The claims a client asked for, as a JSON column: only their names are kept."""

from collections.abc import Mapping, Sequence

from mapae.oauth.claims_request import NO_CLAIMS, ClaimsRequest


def to_column(claims: ClaimsRequest) -> Mapping[str, Sequence[str]] | None:
    """What is kept; null for nothing, which is the usual case."""
    if not claims.id_token and not claims.userinfo:
        return None
    return {"id_token": list(claims.id_token), "userinfo": list(claims.userinfo)}


def from_column(kept: Mapping[str, Sequence[str]] | None) -> ClaimsRequest:
    """The names that were kept."""
    if kept is None:
        return NO_CLAIMS
    return ClaimsRequest(id_token=tuple(kept["id_token"]), userinfo=tuple(kept["userinfo"]))
