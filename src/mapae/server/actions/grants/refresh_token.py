"""Refresh: a refresh token in, the tokens of its family's current turn out."""

from dataclasses import dataclass
from typing import assert_never

from mapae.clock import Clock
from mapae.secret import Secret
from mapae.server.actions.family_batches import Decided, FamilyBatches, Presentation
from mapae.server.actions.issue import Issue
from mapae.server.actions.read_refresh_token import ReadRefreshToken
from mapae.server.actions.tokens import Tokens
from mapae.server.domain.caller import Caller
from mapae.server.domain.families import Ended, Presented, RefusalCode, Refused, Replayed, Turned, spend
from mapae.server.domain.problems import Problem, ProblemCode
from mapae.server.domain.refresh_token import NotARefreshToken, RefreshKeyLost, RefreshToken
from mapae.server.domain.sessions import EndReason


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """The refresh grant. A forged token is refused by its MAC, without the database."""

    read: ReadRefreshToken
    batches: FamilyBatches
    issue: Issue
    clock: Clock

    async def __call__(self, token: Secret, caller: Caller, *, client_id: str) -> Tokens:
        """The new pair, or the same one again (domain/families).

        Raises:
            Problem: SESSION_ENDED with `reason` and `ended_at`; INVALID_REFRESH_TOKEN.
            StoreUnavailable: nothing was handed out; the same token may be sent again.
        """
        read = await self._read(token)
        presented = presentation_of(read, caller, client_id=client_id)
        decided = await self.batches.decide(Presentation(read.family_id, presented, spend))
        if decided is None:
            raise Problem(ProblemCode.INVALID_REFRESH_TOKEN, detail="its family is not there (any more)")
        return await self._answer(decided)

    async def _read(self, token: Secret) -> RefreshToken:
        try:
            return await self.read(token)
        except NotARefreshToken:
            raise Problem(ProblemCode.INVALID_REFRESH_TOKEN, detail="shape or MAC is wrong") from None
        except RefreshKeyLost:
            raise session_ended(EndReason.KEY_LOST, int(self.clock()), detail="no key of that id") from None

    async def _answer(self, decided: Decided) -> Tokens:
        match decided.decision:
            case Turned(family) | Replayed(family):
                return await self.issue(
                    family,
                    user_id=decided.read.user_id,
                    roles=decided.read.roles,
                    now=decided.read.now,
                )
            case Ended(family, ending):
                raise session_ended(ending.reason, ending.at, detail=f"family {family.id}")
            case Refused(code=RefusalCode.KEY_LOST):
                raise session_ended(EndReason.KEY_LOST, decided.read.now, detail="a turn nobody remembers")
            case Refused(family, code):
                raise Problem(ProblemCode.INVALID_REFRESH_TOKEN, detail=f"family {family.id}: {code}")
            case _:
                assert_never(decided.decision)


def presentation_of(token: RefreshToken, caller: Caller, *, client_id: str) -> Presented:
    """What the rule wants to know of this request."""
    return Presented(
        turn=token.turn,
        client_id=client_id,
        instance_digest=caller.instance_digest,
        attempt_digest=caller.attempt_digest,
        address=caller.address,
        user_agent=caller.user_agent,
    )


def session_ended(reason: EndReason, at: int, *, detail: str) -> Problem:
    """The answer to a token of something that is over."""
    return Problem(ProblemCode.SESSION_ENDED, detail=detail, members={"reason": reason.value, "ended_at": at})
