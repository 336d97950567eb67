"""Where a browser is sent on to: a client, one of our own pages, and from there back to the request."""

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from mapae.oauth.authorization_response import AuthorizationResponse, ResponseMode
from mapae.oauth.parameters import Parameters
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.answers import NO_STORE
from mapae.server.http.pages.rendering import Pages

AUTHORIZE: Final = "/oauth/authorize"
LOGIN: Final = "/login"
CONSENT: Final = "/consent"

#: The parameter that says where a page sends the browser back to.
RETURN_TO: Final = "return_to"
#: The most bytes of a query: it comes back as a parameter of itself, percent-encoded once more.
QUERY_LIMIT: Final = 6 * 1024


def see_other(location: str) -> Response:
    """Send the browser to an address, with GET (RFC 9700 section 4.12: never 307, which repeats a form)."""
    return Response(status_code=303, headers={**NO_STORE, "Location": location})


def return_to(request: Parameters) -> str:
    """The address of an authorization request, without the host."""
    return f"{AUTHORIZE}?{request.to_query()}"


def page_for(page: str, request: Parameters) -> str:
    """The address of a page that sends the browser back to an authorization request."""
    return f"{page}?{urlencode({RETURN_TO: return_to(request)})}"


def request_in(address: str) -> Parameters:
    """The authorization request that `return_to` is; nothing else is ever returned to.

    Raises:
        Problem: INVALID_REQUEST.
        OAuthError: INVALID_REQUEST when it is no UTF-8.
    """
    path, _, query = address.partition("?")
    if path != AUTHORIZE:
        raise Problem(ProblemCode.INVALID_REQUEST, detail="return_to is no address of ours")
    return bounded(Parameters.of_query(query))


def bounded(parameters: Parameters) -> Parameters:
    """The same parameters, when they fit into an address.

    Raises:
        Problem: INVALID_REQUEST.
    """
    if len(parameters.to_query()) > QUERY_LIMIT:
        raise Problem(ProblemCode.INVALID_REQUEST, told=f"The request has more than {QUERY_LIMIT} bytes.")
    return parameters


def to_client(request: Request, pages: Pages, response: AuthorizationResponse) -> Response:
    """Send the answer of the authorization endpoint to the client, in the way that it wants."""
    if response.mode is ResponseMode.FORM_POST:
        return pages.answer(
            request,
            "form_post.html",
            form_action=response.redirect_uri,
            action=response.redirect_uri,
            fields=response.members,
        )
    return see_other(response.location())
