"""The session as what requests calls an `auth`: a function of the request."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from mapae.client.authorizer import Authorizer, bearer

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class RequestsAuth:
    """Adds the token to requests for its origins, and renews it once when the API calls it invalid.

    requests repeats itself what its `Retry` says; each repetition carries the token of the first.
    """

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        """Sign a request, and look at its answer when it comes."""
        if self._authorizer.covers(request.url or ""):
            session = self._authorizer.session
            request.headers["Authorization"] = bearer(session.ready() or session.token(0))
            request.register_hook("response", self._answered)  # type: ignore[no-untyped-call]
        return request

    def _answered(self, response: "Response", **options: Any) -> "Response":
        if response.is_redirect:
            # requests takes the header along from http to https of one host, which is another origin.
            if not self._authorizer.covers(urljoin(response.url, response.headers["Location"])):
                response.request.headers.pop("Authorization", None)
            return response
        authorization = response.request.headers.get("Authorization")
        if authorization is None or not self._authorizer.covers(response.url):
            return response
        try:
            another = self._another(response, authorization.removeprefix("Bearer "))
        except BaseException:
            response.close()
            raise
        # The answer to it comes from the adapter, which calls no hooks: nothing is sent a third time.
        return response if another is None else _again(response, another, options)

    def _another(self, response: "Response", token: str) -> str | None:
        challenges = response.headers.get("WWW-Authenticate", "")
        if not self._authorizer.wants_another(response.status_code, challenges):
            return None
        if not isinstance(response.request.body, bytes | str | None):
            return None  # the body was a stream and is gone
        return self._authorizer.another(token)


def _again(response: "Response", token: str, options: dict[str, Any]) -> "Response":
    """The answer to the same request with another token, on the connection of the first when it was read."""
    response.content  # noqa: B018 - read to its end, so that the connection can be used again
    response.close()
    # No copy: if requests is redirected from there, it goes on with the request that it knows.
    request = response.request
    request.headers["Authorization"] = bearer(token)
    answer: Response = response.connection.send(request, **options)
    answer.history.append(response)
    return answer
