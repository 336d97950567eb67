"""Refresh: a refresh token in, its family's current turn out. Each door answers in its own words."""

from dataclasses import dataclass
from typing import assert_never

from mapae.clock import Clock
from mapae.secret import Secret
from mapae.server.actions.family_batches import Decided, FamilyBatches, Presentation, Rule
from mapae.server.actions.issue import Granted
from mapae.server.actions.read_refresh_token import ReadRefreshToken
from mapae.server.domain.caller import Caller
from mapae.server.domain.families import Ended, Presented, RefusalCode, Refused, Replayed, Turned, spend
from mapae.server.domain.refresh_token import NotARefreshToken, RefreshKeyLost, RefreshToken
from mapae.server.domain.sessions import Ending, EndReason


class RefreshRefused(Exception):
    """A refresh token that buys nothing. `detail` is for the log.

    `ending` says how what it belonged to is over; None where it is no token of this client, or asks for too much.
    """

    def __init__(self, code: RefusalCode, detail: str, ending: Ending | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.ending = ending


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """The refresh grant. A forged token is refused by its MAC, without the database."""

    read: ReadRefreshToken
    batches: FamilyBatches
    clock: Clock

    async def __call__(self, token: Secret, caller: Caller, *, client_id: str, rule: Rule = spend) -> Granted:
        """What the next pair is issued for, or the same one again (domain/families).

        Raises:
            RefreshRefused: by `rule`, or because nothing is known of the token.
            StoreUnavailable: nothing was handed out; the same token may be sent again.
        """
        read = await self._read(token)
        presented = presentation_of(read, caller, client_id=client_id)
        decided = await self.batches.decide(Presentation(read.family_id, presented, rule))
        if decided is None:
            raise RefreshRefused(RefusalCode.INVALID_GRANT, "its family is not there (any more)")
        return _granted(decided)

    async def _read(self, token: Secret) -> RefreshToken:
        try:
            return await self.read(token)
        except NotARefreshToken:
            raise RefreshRefused(RefusalCode.INVALID_GRANT, "shape or MAC is wrong") from None
        except RefreshKeyLost:
            raise _key_lost("no key of that id", now=int(self.clock())) from None


def _granted(decided: Decided) -> Granted:
    match decided.decision:
        case Turned(family) | Replayed(family):
            return Granted(family, decided.read.user_id, decided.read.roles, decided.read.now)
        case Ended(family, ending):
            raise RefreshRefused(RefusalCode.INVALID_GRANT, f"family {family.id}", ending)
        case Refused(code=RefusalCode.KEY_LOST):
            raise _key_lost("a turn nobody remembers", now=decided.read.now)
        case Refused(family, code):
            raise RefreshRefused(code, f"family {family.id}: {code}")
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


def _key_lost(detail: str, *, now: int) -> RefreshRefused:
    return RefreshRefused(RefusalCode.KEY_LOST, detail, Ending(EndReason.KEY_LOST, now))
