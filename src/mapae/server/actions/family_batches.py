"""Presented refresh tokens, decided in batches: one read, the rule in Python, one write, one commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mapae.server.actions.group_commit import GroupCommit
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.events import RefreshReported, SessionEnded
from mapae.server.domain.families import Decision, Ended, Family, Presented, RefreshPolicy
from mapae.server.domain.sessions import Ending, EndReason
from mapae.server.store.engine import Database, StoreUnavailable
from mapae.server.store.families import FamilyRead
from mapae.server.store.unit import Unit

#: `spend` or `log_out` of domain/families.
Rule = Callable[..., Decision]


@dataclass(frozen=True, slots=True)
class Presentation:
    """One token that was presented, and the rule to decide it by."""

    family_id: str
    presented: Presented
    rule: Rule


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision, durable, and the row it was made from."""

    decision: Decision
    read: FamilyRead


class FamilyBatches:
    """The one door to refresh families for requests of this process."""

    def __init__(self, database: Database, policy: RefreshPolicy, metrics: Metrics) -> None:
        self._database = database
        self._policy = policy
        self._metrics = metrics
        self._commits = GroupCommit(self._with_retry, common=StoreUnavailable)

    async def decide(self, presentation: Presentation) -> Decided | None:
        """Decide and save; None where the family is not there.

        Raises:
            StoreUnavailable: it could not be saved. It may be that it was, and only the word of it was lost: the
                rule answers the same token again.
        """
        return await self._commits.submit(presentation)

    async def _with_retry(self, batch: Sequence[Presentation]) -> Sequence[Decided | None]:
        try:
            return await self._decide_all(batch)
        except StoreUnavailable:
            # Once more on another connection: the pool has dropped those of a restarted database.
            return await self._decide_all(batch)

    async def _decide_all(self, batch: Sequence[Presentation]) -> Sequence[Decided | None]:
        async with self._database.unit() as unit:
            reads = await unit.families.for_update({one.family_id for one in batch})
            now_at = {family_id: read.family for family_id, read in reads.items()}
            results = [self._decide(one, reads, now_at) for one in batch]
            changes = [
                (reads[family_id].family, family)
                for family_id, family in now_at.items()
                if family != reads[family_id].family
            ]
            if changes:
                await unit.families.save(changes)
            for one, decided in zip(batch, results, strict=True):
                if decided:
                    await self._follow_up(unit, one.presented, decided)
            await unit.commit()
        for decided in filter(None, results):
            self._metrics.decided(type(decided.decision).__name__.lower(), decided.decision.reports)
        return results

    def _decide(
        self, one: Presentation, reads: Mapping[str, FamilyRead], now_at: dict[str, Family]
    ) -> Decided | None:
        read = reads.get(one.family_id)
        if read is None:
            return None
        family = now_at[one.family_id]
        if not family.ending and (over := _over(read)):
            decision: Decision = Ended(family._replace(ending=over), over)
        else:
            decision = one.rule(family, one.presented, now=read.now, policy=self._policy)
        now_at[one.family_id] = decision.family
        return Decided(decision, read._replace(family=family))

    async def _follow_up(self, unit: Unit, presented: Presented, decided: Decided) -> None:
        """What a decision means beyond its own row: reports, and the end of the session."""
        before, decision = decided.read.family, decided.decision
        for report in decision.reports:
            unit.record(
                RefreshReported(
                    report=report,
                    session_id=before.session_id,
                    client_id=presented.client_id,
                    presented_turn=presented.turn,
                    current_turn=before.turn,
                    address=presented.address,
                    user_agent=presented.user_agent,
                    last_address=before.address,
                    last_user_agent=before.user_agent,
                )
            )
        session_lives = before.first_party and not before.ending and not decided.read.session_ending
        if isinstance(decision, Ended) and session_lives:
            reason = decision.ending.reason
            await unit.sessions.end(
                before.session_id, user_id=decided.read.user_id, reason=reason, now=decision.ending.at
            )
            unit.record(
                SessionEnded(
                    user_id=decided.read.user_id,
                    session_id=before.session_id,
                    reason=reason,
                    address=presented.address,
                    user_agent=presented.user_agent,
                )
            )


def _over(read: FamilyRead) -> Ending | None:
    """How a family is over whatever its own row says: a family never outlives its session."""
    if read.user_disabled and not read.session_ending:
        return Ending(EndReason.USER_DISABLED, read.now)
    return read.session_ending
