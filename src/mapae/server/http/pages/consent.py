"""`/consent`: the page that asks whether a client may have what it wants."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.parameters import Parameters
from mapae.server.actions.authorize import Authorize, Decided
from mapae.server.actions.give_consent import GiveConsent
from mapae.server.domain.authorize import AskConsent
from mapae.server.http.cookies import SESSION, Cookies
from mapae.server.http.csrf import Csrf
from mapae.server.http.form import read_form
from mapae.server.http.onward import CONSENT, RETURN_TO, request_in, return_to, see_other, to_client
from mapae.server.http.pages.for_people import for_people
from mapae.server.http.pages.rendering import Pages


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Whoever need not be asked, or has to sign in first, is sent on. `base` is the path of the issuer."""

    authorize: Authorize
    give_consent: GiveConsent
    cookies: Cookies
    csrf: Csrf
    pages: Pages
    base: str

    def routes(self) -> list[Route]:
        """The path of the page."""
        return [
            Route(CONSENT, for_people(self.pages, self.get_consent), methods=["GET"]),
            Route(CONSENT, for_people(self.pages, self.post_consent), methods=["POST"]),
        ]

    async def get_consent(self, request: Request) -> Response:
        """The page."""
        decided = await self._decided(request, Parameters.of_query(request.url.query).one(RETURN_TO))
        if isinstance(decided.step, AskConsent):
            return self._page(request, decided.request, decided.step)
        return see_other(self.base + return_to(decided.request))

    async def post_consent(self, request: Request) -> Response:
        """What the user decided about what they were shown."""
        form = await read_form(request)
        self.csrf.require(request, form)
        decided = await self._decided(request, form.get(RETURN_TO))
        match decided.step, form.get("decision"):
            case AskConsent() as asked, "allow":
                await self.give_consent(asked, not_before=decided.began)
            case AskConsent() as asked, "deny":
                return to_client(request, self.pages, self.authorize.deny(asked))
            case AskConsent(), _:
                raise OAuthError(ErrorCode.INVALID_REQUEST, detail="decision is neither allow nor deny")
        return see_other(self.base + return_to(decided.request))

    async def _decided(self, request: Request, address: str | None) -> Decided:
        return await self.authorize.decide(request_in(address or ""), self.cookies.read(request, SESSION))

    def _page(self, request: Request, parameters: Parameters, asked: AskConsent) -> Response:
        cookie, metadata = self.csrf.cookie(request), asked.client.metadata
        answer = self.pages.answer(
            request,
            "consent.html",
            form_action=asked.reply_to.redirect_uri,
            csrf=self.csrf.field(request, cookie),
            return_to=return_to(parameters),
            username=asked.signed_in.user.username,
            scopes=[{"name": token} for token in asked.scope],
            client={
                "name": asked.client.name,
                "uri": metadata.client_uri,
                "policy_uri": metadata.policy_uri,
                "tos_uri": metadata.tos_uri,
                "redirect_host": asked.destination,
                "native": metadata.is_native,
            },
        )
        self.csrf.keep(answer, cookie)
        return answer
