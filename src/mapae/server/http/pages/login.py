"""`/login`: the page that asks for user name and password."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapae.entropy import Entropy
from mapae.jose import base64url
from mapae.oauth.form import Form
from mapae.oauth.parameters import Parameters
from mapae.secret import Secret
from mapae.server.actions.authorize import Authorize, Decided
from mapae.server.actions.sign_in_browser import SignInBrowser
from mapae.server.adapters.argon2_hasher import HashingBusy
from mapae.server.domain.authorize import AskConsent, Issue, LogIn
from mapae.server.domain.passwords import CredentialRefused, parse_username, prepare_password
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.http.cookies import DEVICE, DEVICE_LIFE_S, SESSION, Cookies
from mapae.server.http.csrf import Csrf
from mapae.server.http.form import read_form
from mapae.server.http.onward import LOGIN, RETURN_TO, request_in, return_to, see_other
from mapae.server.http.pages.for_people import for_people
from mapae.server.http.pages.rendering import Pages
from mapae.server.http.request_facts import Network, caller_of

#: What the page itself tells, above its form.
_TOLD: Final = frozenset(
    {
        ProblemCode.INVALID_CREDENTIALS,
        ProblemCode.USER_DISABLED,
        ProblemCode.TOO_MANY_ATTEMPTS,
        ProblemCode.BUSY,
    }
)
_DEVICE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class LoginPage:
    """Without a request to go back to, the page tells who is signed in. `base` is the path of the issuer."""

    authorize: Authorize
    sign_in: SignInBrowser
    cookies: Cookies
    csrf: Csrf
    pages: Pages
    base: str
    trusted_proxies: Sequence[Network]
    entropy: Entropy

    def routes(self) -> list[Route]:
        """The path of the page."""
        return [
            Route(LOGIN, for_people(self.pages, self.get_login), methods=["GET"]),
            Route(LOGIN, for_people(self.pages, self.post_login), methods=["POST"]),
        ]

    async def get_login(self, request: Request) -> Response:
        """The page; whoever need not sign in goes on."""
        asking = await self._asking(request, Parameters.of_query(request.url.query).one(RETURN_TO))
        if asking is None:
            username = await self.sign_in.username(self.cookies.read(request, SESSION))
            if username is not None:
                return self.pages.answer(request, "signed_in.html", username=username)
            return self._form(request, None)
        if isinstance(asking.step, LogIn):
            return self._form(request, asking, username=asking.step.username or "")
        return see_other(self.base + return_to(asking.request))

    async def post_login(self, request: Request) -> Response:
        """User name and password: the browser gets a session, or the page again."""
        form = await read_form(request)
        asking = await self._asking(request, form.get(RETURN_TO))
        self.csrf.require(request, form)
        device = self.cookies.read(request, DEVICE) or Secret(base64url.encode(self.entropy(_DEVICE_BYTES)))
        try:
            cookie, life_s = await self._signed_in(request, form, device, asking)
        except Problem as problem:
            if problem.code not in _TOLD:
                raise
            return self._form(request, asking, username=form.get("username", ""), problem=problem)
        answer = see_other(self.base + (return_to(asking.request) if asking else LOGIN))
        self.cookies.set(answer, SESSION, cookie, life_s=life_s)
        self.cookies.set(answer, DEVICE, device, life_s=DEVICE_LIFE_S)
        return answer

    async def _asking(self, request: Request, address: str | None) -> Decided | None:
        if address is None:
            return None
        return await self.authorize.decide(request_in(address), self.cookies.read(request, SESSION))

    async def _signed_in(
        self, request: Request, form: Form, device: Secret, asking: Decided | None
    ) -> tuple[Secret, int]:
        try:
            username = parse_username(form.get("username", ""))
            password = prepare_password(Secret(form.get("password", "")))
        except CredentialRefused as refused:
            # Nobody can have these, so it is only a wrong guess.
            raise Problem(ProblemCode.INVALID_CREDENTIALS, detail=refused.code) from None
        caller = replace(caller_of(request, self.trusted_proxies), instance_digest=device.digest())
        try:
            return await self.sign_in(
                username,
                password,
                caller,
                cookie=self.cookies.read(request, SESSION),
                not_before=asking.began if asking else 0,
            )
        except HashingBusy as busy:
            raise Problem(ProblemCode.BUSY, retry_after_s=busy.retry_after_s) from None

    def _form(
        self, request: Request, asking: Decided | None, *, username: str = "", problem: Problem | None = None
    ) -> Response:
        cookie = self.csrf.cookie(request)
        step = asking.step if asking and isinstance(asking.step, LogIn | AskConsent | Issue) else None
        answer = self.pages.answer(
            request,
            "login.html",
            status=_status(problem),
            headers={"Retry-After": str(problem.retry_after_s)} if problem and problem.retry_after_s else {},
            form_action=step.reply_to.redirect_uri if step else None,
            csrf=self.csrf.field(request, cookie),
            return_to=return_to(asking.request) if asking else "",
            client_name=step.client.name if step else None,
            client_uri=step.client.metadata.client_uri if step else None,
            username=username,
            problem=problem.code.value if problem else None,
            retry_after_s=problem.retry_after_s if problem else None,
        )
        self.csrf.keep(answer, cookie)
        return answer


def _status(problem: Problem | None) -> int:
    if problem is None:
        return 200
    # A 401 would need a challenge of HTTP authentication, which this is not (RFC 9110 section 15.5.2).
    return 400 if problem.code.status == 401 else problem.code.status
