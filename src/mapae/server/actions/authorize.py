"""The authorization endpoint: load what is known, let the rule decide, and hand out a code when it says so."""

from collections.abc import Callable
from dataclasses import dataclass

from mapae.entropy import Entropy
from mapae.jose.jwks import JwkSet
from mapae.oauth.authorization_request import client_id_of
from mapae.oauth.authorization_response import AuthorizationResponse
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.parameters import Parameters
from mapae.secret import Secret
from mapae.server.actions.client_directory import ClientDirectory
from mapae.server.actions.keep_codes import KeepCodes
from mapae.server.actions.resource_directory import ResourceDirectory
from mapae.server.domain.authorize import (
    AskConsent,
    Issue,
    Known,
    LogIn,
    RefuseAtClient,
    RefuseHere,
    SignedIn,
    beginning,
    next_step,
)
from mapae.server.domain.began import began_at, stamped
from mapae.server.domain.clients import Client
from mapae.server.domain.codes import CODE_BYTES, CODE_LIFE_S, Code, code_of
from mapae.server.domain.ids import new_id
from mapae.server.domain.problems import Problem
from mapae.server.store.browsers import Browser
from mapae.server.store.engine import Database


@dataclass(frozen=True, slots=True)
class Decided:
    """What happens next; `request` is what to come back with once a page has done its thing.

    `began` and `now` are moments of the database's clock: what a page does happens at `max(now, began)`.
    """

    step: RefuseAtClient | LogIn | AskConsent | Issue
    request: Parameters
    began: int
    now: int


@dataclass(frozen=True, slots=True)
class Authorize:
    """`stamp_key` is for domain/began; `idle_s` how long a session lives without being used, in seconds."""

    database: Database
    clients: ClientDirectory
    resource_servers: ResourceDirectory
    keep_code: KeepCodes
    keys: Callable[[], JwkSet]
    issuer: str
    idle_s: int
    stamp_key: bytes
    entropy: Entropy

    async def decide(self, request: Parameters, cookie: Secret | None) -> Decided:
        """What happens next with this request of the browser that has this cookie. Changes nothing.

        Raises:
            Problem: the person has to be told, not the client (`RefuseHere`).
            StoreUnavailable: that cannot be said now.
        """
        client = await self._client(request)
        browser, now = await self._browser(cookie, client)
        signed_in = await self._signed_in(browser, client) if browser and client else None
        began = began_at(request, self.stamp_key, now=now)
        step = next_step(
            request,
            Known(
                issuer=self.issuer,
                keys=self.keys(),
                servers=await self.resource_servers.all(),
                client=client,
                signed_in=signed_in,
                began=began,
                now=now,
            ),
        )
        if isinstance(step, RefuseHere):
            raise Problem(step.code, detail=step.detail)
        if began is None:
            began = beginning(signed_in, now=now)
            request = stamped(request, self.stamp_key, began=began)
        return Decided(step, request, began, now)

    async def issue(self, issue: Issue, *, now: int) -> AuthorizationResponse:
        """The answer that hands out a code.

        Raises:
            StoreUnavailable: none was.
        """
        user, code = issue.signed_in, code_of(self.entropy(CODE_BYTES))
        await self.keep_code(
            Code(
                digest=code.digest(),
                client_id=issue.client.client_id,
                session_id=user.session_id,
                subject=None if user.subject == user.user.id else user.subject,
                redirect_uri=issue.reply_to.redirect_uri,
                challenge=issue.request.challenge,
                nonce=issue.request.nonce,
                scope=str(issue.scope),
                audience=issue.audience,
                claims=issue.request.claims,
                auth_time=user.authenticated_at,
                expires_at=now + CODE_LIFE_S,
            )
        )
        return issue.reply_to.code(code.reveal(), issuer=self.issuer)

    def refuse(self, refused: RefuseAtClient) -> AuthorizationResponse:
        """The answer that tells the client why not."""
        return refused.reply_to.error(refused.error, issuer=self.issuer)

    def deny(self, asked: AskConsent) -> AuthorizationResponse:
        """The answer that tells the client that the user does not want it."""
        denied = OAuthError(ErrorCode.ACCESS_DENIED, description="The user did not allow it.")
        return asked.reply_to.error(denied, issuer=self.issuer)

    async def _client(self, request: Parameters) -> Client | None:
        try:
            return await self.clients.find(client_id_of(request))
        except OAuthError:
            return None

    async def _browser(self, cookie: Secret | None, client: Client | None) -> tuple[Browser | None, int]:
        async with self.database.reading() as unit:
            browser = cookie and await unit.browsers.behind(
                cookie.digest(), client_id=client.client_id if client else None, idle_s=self.idle_s
            )
            return browser or None, browser.now if browser else await unit.now()

    async def _signed_in(self, browser: Browser, client: Client) -> SignedIn:
        user = browser.user
        subject = user.id
        if client.metadata.subject_type == "pairwise" and client.metadata.sector is not None:
            async with self.database.unit() as unit:
                subject = await unit.subjects.of(client.metadata.sector, user.id, new=new_id(self.entropy))
                await unit.commit()
        return SignedIn(user, browser.session_id, browser.authenticated_at, subject, browser.consents)
