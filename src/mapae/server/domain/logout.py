"""RP-initiated logout: what happens next with a request to be signed out. One pure rule, `next_step`.

The first row that fits decides (OpenID Connect RP-Initiated Logout 1.0, sections 2 to 4).

| row | the request | the browser | next step |
|---|---|---|---|
| 1 | of a client that there is not | | refused: unknown_client |
| 2 | wants to go where its client, if it says which, has not registered | | refused: unregistered_redirect_uri |
| 3 | any | nobody is signed in | `SignedOut`: there is nothing to end |
| 4 | its hint names the session of this browser | somebody is signed in | `End` |
| 5 | confirmed by the user | somebody is signed in | `End` |
| 6 | any other: anybody may have sent the user here | somebody is signed in | `Confirm` |
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from mapae.oauth.logout_request import LogoutRequest
from mapae.server.domain.clients import Client
from mapae.server.domain.problems import Problem, ProblemCode


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Nobody is signed in (any more). `continue_to` is where the browser goes, None to stay on our own page."""

    client: Client | None
    continue_to: str | None


@dataclass(frozen=True, slots=True)
class End:
    """The session of the browser has to end; then it is as `then` says."""

    then: SignedOut


@dataclass(frozen=True, slots=True)
class Confirm:
    """The user has to say that they want it."""

    client: Client | None


LogoutStep = SignedOut | End | Confirm


def next_step(
    request: LogoutRequest, client: Client | None, *, session_id: str | None, confirmed: bool
) -> LogoutStep:
    """Decide what happens next, by the table above.

    Args:
        client: who has the id of the request.
        session_id: that of the browser, None when nobody is signed in.
    Raises:
        Problem: UNKNOWN_CLIENT, UNREGISTERED_REDIRECT_URI. Nobody is signed out, and the browser is sent nowhere.
    """
    if request.client_id is not None and client is None:
        raise Problem(ProblemCode.UNKNOWN_CLIENT)
    wanted = request.post_logout_redirect_uri
    if wanted is not None and (client is None or wanted not in client.metadata.post_logout_redirect_uris):
        raise Problem(ProblemCode.UNREGISTERED_REDIRECT_URI, detail="post_logout_redirect_uri")
    signed_out = SignedOut(client, _and(wanted, state=request.state) if wanted is not None else None)
    if session_id is None:
        return signed_out
    if confirmed or request.session_id == session_id:
        return End(signed_out)
    return Confirm(client)


def front_channel(uri: str, *, issuer: str, session_id: str) -> str:
    """What a frame shows to end the session at a client (OpenID Connect Front-Channel Logout 1.0 section 3)."""
    return _and(uri, iss=issuer, sid=session_id)


def _and(uri: str, **members: str | None) -> str:
    query = urlencode({name: value for name, value in members.items() if value is not None})
    return f"{uri}{'&' if '?' in uri else '?'}{query}" if query else uri
