"""The renewal of a stored token: once in a process, once among processes, and never a turn too many.

When a token is asked for:

| the stored access token | what happens |
|---|---|
| outlives the margin | used: no lock, no network |
| does not | one flight in this process; among processes, a lock with a deadline around the rest |
| store read again, a newer token there | used |
| else | the attempt value of this turn is stored, then sent with the refresh token |
| answer: tokens | stored, over the token that was sent only, before they are used |
| answer: session ended | store read again; moved on: judged anew; else the reason stays: `LoginRequired` |
| anything else, or none | nothing changes; a token with life left is used; the server is left alone a while |
"""

import json
from dataclasses import replace
from typing import Final
from weakref import WeakValueDictionary

from mapae.client.errors import AnswerLost, LoginRequired, Unavailable
from mapae.client.flight import SingleFlight
from mapae.client.judgements import Backoff, Ended, judge_refresh
from mapae.client.outside import Outside
from mapae.client.records import SignIn, Tokens
from mapae.client.steps import good_enough
from mapae.client.store import LOCK_DEADLINE_S, Store, living
from mapae.client.transport import Call
from mapae.secret import Secret


class Renewal:
    """Renews the sign-in of one store, for all sessions of this process that share it.

    A store keeps one sign-in: one issuer, client, user and resource.
    """

    def __init__(self, issuer: str, store: Store, outside: Outside) -> None:
        self.issuer: Final = issuer
        self._store: Final = store
        self._outside: Final = outside
        self._flight: Final = SingleFlight[Tokens]()
        #: For tasks: one thread for all that ask a session the same.
        self.asked: Final = SingleFlight[str]()
        self._backoff = Backoff()
        #: The refresh token that was sent, and the answer that could not be stored.
        self._unsaved: tuple[Secret, Tokens] | None = None

    def other_than(self, unwanted: Secret) -> Tokens:
        """Tokens with another access token than this one: those that were stored meanwhile, else renewed ones.

        Raises:
            LoginRequired: the session is over; its tokens have been deleted.
            Unavailable: the server cannot be reached, or is left alone for a while.
            StoreFailed: the tokens could not be read or kept.
        """
        tokens = self._flight.run("renewal", lambda: self._renew(unwanted))
        if tokens.access_token == unwanted:
            # We joined the flight of a caller for whom these are new.
            tokens = self._flight.run("renewal", lambda: self._renew(unwanted))
        return tokens

    def _renew(self, unwanted: Secret) -> Tokens:
        with self._store.lock(LOCK_DEADLINE_S) as locked:
            while True:
                sign_in, tokens = living(self._store, self.issuer)
                if self._unsaved is not None and tokens.refresh_token == self._unsaved[0]:
                    tokens = self._keep(self._unsaved[1], sent=tokens)
                if tokens.access_token != unwanted and good_enough(tokens, 0, self._outside.clock()):
                    return tokens
                if not (locked or sign_in.grant is None or tokens.refresh_token is None):
                    # Such a server takes a turn that was taken twice for theft; ours answers it once more.
                    raise Unavailable(
                        "another process is renewing the token and does not end; try again later"
                    )
                outcome = self._turn(sign_in, tokens)
                if isinstance(outcome, Tokens):
                    return self._keep(outcome, sent=tokens)
                # Unless this raises, the store moved on while we asked: judge what it holds now.
                self._end(outcome, sent=tokens)

    def _turn(self, sign_in: SignIn, tokens: Tokens) -> Tokens | Ended:
        wait = self._backoff.until - self._outside.monotonic()
        if wait > 0:
            raise Unavailable(f"{self.issuer} did not answer just now; try again in {wait:.0f} s", wait)
        if not sign_in.renewable:
            return Ended("expired")
        try:
            outcome = self._asked_for(sign_in, tokens)
        except Unavailable as failure:
            chance = int.from_bytes(self._outside.entropy(4)) / 2**32
            self._backoff = self._backoff.after(failure, chance, self._outside.monotonic())
            raise
        self._backoff = Backoff()
        return outcome

    def _asked_for(self, sign_in: SignIn, tokens: Tokens) -> Tokens | Ended:
        headers, refresh_token = {"Mapae-Instance": sign_in.instance.reveal()}, tokens.refresh_token
        if refresh_token is not None:
            headers["Mapae-Attempt"] = self._store.attempt(refresh_token, self._outside.draw()).reveal()
        asked_at = self._outside.clock()
        if sign_in.grant is not None:
            from mapae.client.oauth_answers import judge_renewal
            from mapae.client.oauth_requests import renewal_call

            answer = self._outside.send(renewal_call(sign_in.grant, tokens, headers))
            return judge_renewal(answer, asked_at, scope=sign_in.grant.client.scope, sent=refresh_token)
        assert refresh_token is not None, "only such a sign-in is renewable"
        body = json.dumps({"refresh_token": refresh_token.reveal()}).encode()
        call = Call(f"{self.issuer}/auth/refresh", body, headers)
        try:
            answer = self._outside.send(call)
        except AnswerLost:
            # Asking again is harmless: the same turn with the same attempt value has the same answer.
            answer = self._outside.send(call)
        return judge_refresh(answer, asked_at)

    def _keep(self, tokens: Tokens, *, sent: Tokens) -> Tokens:
        sign_in, kept = living(self._store, self.issuer)
        if kept.refresh_token != sent.refresh_token:
            return kept
        self._unsaved = None if sent.refresh_token is None else (sent.refresh_token, tokens)
        self._store.write(replace(sign_in, tokens=tokens))
        self._unsaved = None
        return tokens

    def _end(self, ended: Ended, *, sent: Tokens) -> None:
        sign_in, kept = living(self._store, self.issuer)
        if kept.refresh_token != sent.refresh_token:
            return
        self._store.write(replace(sign_in, tokens=None, ended=ended.reason))
        raise LoginRequired(self.issuer, ended.reason)


_shared: Final[WeakValueDictionary[tuple[str, Store, Outside], Renewal]] = WeakValueDictionary()


def shared_renewal(issuer: str, store: Store, outside: Outside) -> Renewal:
    """The one `Renewal` of this process for a store."""
    return _shared.setdefault((issuer, store, outside), Renewal(issuer, store, outside))
