"""Sign in at the page: the browser gets a session, or the one it has goes on."""

from dataclasses import dataclass
from typing import Final

from mapae.entropy import Entropy
from mapae.jose import base64url
from mapae.secret import Secret
from mapae.server.actions.begin_session import BeginSession
from mapae.server.actions.check_password import CheckPassword
from mapae.server.actions.session_ends import record_ends
from mapae.server.domain.caller import Caller
from mapae.server.domain.events import SignedInAgain
from mapae.server.domain.passwords import PreparedPassword, Username
from mapae.server.domain.sessions import FIRST_PARTY_CLIENT_ID, EndReason, Session, run_out
from mapae.server.domain.users import User
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit
from mapae.server.store.users import Confirmed

_COOKIE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SignInBrowser:
    """A browser that signs in has a new cookie afterwards, whatever it had before (OWASP ASVS 5.0, V7).

    `idle_s` is how long a session lives without being used, in seconds.
    """

    database: Database
    check_password: CheckPassword
    begin_session: BeginSession
    idle_s: int
    entropy: Entropy

    async def __call__(
        self,
        username: Username,
        password: PreparedPassword,
        caller: Caller,
        *,
        cookie: Secret | None,
        not_before: int = 0,
    ) -> tuple[Secret, int]:
        """The new cookie for whoever knows the password, and the seconds its session has to live.

        The user whose session the browser has goes on with it; that of another user ends.

        Args:
            cookie: the one that the browser has.
            not_before: when the request began that the user signs in for.
        Raises:
            Problem: INVALID_CREDENTIALS, USER_DISABLED, TOO_MANY_ATTEMPTS, BUSY.
            HashingBusy: too many passwords wait to be checked.
            StoreUnavailable: the database cannot do it now.
        """
        fresh = Secret(base64url.encode(self.entropy(_COOKIE_BYTES)))

        async def admit(unit: Unit, user: User, confirmed: Confirmed) -> int:
            current = await unit.sessions.of_cookie(cookie.digest()) if cookie else None
            now = max(confirmed.now, not_before)
            if current is not None and _goes_on(current, user, now=now):
                await unit.sessions.authenticated_again(current.id, cookie_digest=fresh.digest(), now=now)
                unit.record(SignedInAgain(user.id, current.id, caller.address, caller.user_agent))
                return current.expires_at - now
            if current is not None:
                await _end(unit, current, caller, now=now)
            begun = await self.begin_session(
                unit,
                user,
                confirmed._replace(now=now),
                caller,
                client_id=FIRST_PARTY_CLIENT_ID,
                cookie_digest=fresh.digest(),
            )
            return begun.expires_at - now

        return fresh, await self.check_password(username, password, caller, admit)

    async def username(self, cookie: Secret | None) -> str | None:
        """Who is signed in in the browser that has this cookie, None for nobody.

        Raises:
            StoreUnavailable: that cannot be said now.
        """
        if cookie is None:
            return None
        async with self.database.reading() as unit:
            browser = await unit.browsers.behind(cookie.digest(), client_id=None, idle_s=self.idle_s)
        return browser.user.username if browser else None


def _goes_on(session: Session, user: User, *, now: int) -> bool:
    # Signing in is use: only the absolute end counts.
    return session.user_id == user.id and run_out(session.expires_at, session.expires_at, now=now) is None


async def _end(unit: Unit, session: Session, caller: Caller, *, now: int) -> None:
    reason = EndReason.LOGGED_OUT
    ended = await unit.sessions.end(session.id, user_id=session.user_id, reason=reason, now=now)
    record_ends(unit, ended, user_id=session.user_id, reason=reason, caller=caller)
