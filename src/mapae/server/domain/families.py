"""Refresh families: what presenting a refresh token does. One pure rule, `spend`.

A *family* is the refresh tokens one client got from one session, kept as one row. *Turn* n is how often it has
been refreshed. The *binder* ties it to one installation of the client. GRACE is `MAPAE_REFRESH_GRACE`.
*Handed out* is the time of the turn, or of a late replay as long as nobody has presented n (the turn is not
yet *known*). *Late* is more than GRACE after that. A token of turn t is presented to a family at turn n:

| row | state | presented | binder | result |
|---|---|---|---|---|
| 1 | ended | any | any | `Ended` with the reason it ended for |
| 2 | past its absolute or idle end | any | any | `Ended`: expired or idle |
| 3 | live | by another client | any | `Refused` invalid_grant, reported |
| 4 | live | any t | DPoP, proof missing or by another key | `Refused` invalid_dpop_proof, reported |
| 5 | live | t < n-1 | instance, another or none named | `Refused` invalid_grant, reported: it could buy nothing |
| 6 | live | t >= n-1 | instance, another or none named | theft |
| 7 | live | t > n | matches | the database forgot a turn: n := t, then as t = n; reported |
| 8 | live | t > n | the family has none | `Refused` key_lost, reported |
| 9 | live | t = n >= 1, handed out less than 2 GRACE ago | matches or none | `Replayed` (again): answer n, now known |
| 10 | live | t = n | matches or none | `Turned` to n+1 |
| 11 | live | t = n-1, other attempt value than the turn's | matches, family uses attempts | theft |
| 12 | live | t = n-1, not late | matches or none | `Replayed`: answer n, nothing changes |
| 13 | live | t = n-1, late | matches | `Replayed`, marked late; unless known, handed out now |
| 14 | live | t = n-1, late | the family has none | as 13 while no late turn is on the score, reported; else theft |
| 15 | live | t < n-1 | matches or none | theft |

*Score*: a turn adds one when it is marked late; a turn that was not late takes one off when it ends, never
below 0. A score above MAX_SCORE is theft. *Theft* ends the family with `replayed`.
The reasons behind the table: docs/decisions/0002-refresh-by-turn.md.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from hmac import compare_digest
from typing import Final, NamedTuple, Self

from mapae.oauth.claims_request import NO_CLAIMS, ClaimsRequest
from mapae.server.domain.sessions import Ending, EndReason, run_out

MAX_SCORE: Final = 8
#: Late replays within one turn above which a report is made (nothing ends).
MAX_LATE_REPLAYS: Final = 8


class BinderKind(StrEnum):
    """What ties a family to one installation of its client, fixed when the family begins."""

    NONE = "none"
    INSTANCE = "instance"
    CLIENT = "client"
    DPOP = "dpop"


@dataclass(frozen=True, slots=True)
class Binder:
    """`digest` is SHA-256 of the instance value, or of the DPoP key's thumbprint; None for the other kinds."""

    kind: BinderKind = BinderKind.NONE
    digest: bytes | None = None

    @classmethod
    def of(cls, instance_digest: bytes | None, *, confidential: bool = False) -> Self:
        """The strongest there is: the client's own authentication, else the instance it names, else none."""
        if confidential:
            return cls(BinderKind.CLIENT)
        return cls() if instance_digest is None else cls(BinderKind.INSTANCE, instance_digest)


class Family(NamedTuple):
    """One row. Moments are NumericDate seconds of the database's clock.

    `known` says that somebody has presented the current turn; `late` that it was replayed late; `used_at` is the
    time of the last turn (the idle end counts from there); `attempt_digest` belongs to the current turn, and
    `uses_attempts` stays once a turn has carried one. `first_party` families end their session with them.
    `subject` is what the client knows the user as, None for the user's id; `claims` what it asked for beside its
    scopes; `auth_time` when the user had been authenticated as the family began.
    """

    id: str
    session_id: str
    client_id: str
    first_party: bool
    binder: Binder
    audience: str
    scope: str
    expires_at: int
    used_at: int
    auth_time: int
    subject: str | None = None
    claims: ClaimsRequest = NO_CLAIMS
    turn: int = 0
    handed_out_at: int = 0
    known: bool = False
    late: bool = False
    late_replays: int = 0
    score: int = 0
    uses_attempts: bool = False
    attempt_digest: bytes | None = None
    address: str | None = None
    user_agent: str | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """What the request brought: a token whose MAC is right, and who brings it.

    `instance_digest`, `attempt_digest` and `dpop_digest` are SHA-256 of the values, None where there is none.
    """

    turn: int
    client_id: str
    instance_digest: bytes | None = None
    attempt_digest: bytes | None = None
    dpop_digest: bytes | None = None
    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class RefreshPolicy:
    """GRACE and the idle end, both in seconds."""

    grace_s: int
    idle_s: int


class Report(StrEnum):
    """What an operator is told although nothing, or not only that, ended."""

    OTHER_CLIENT = "other_client"
    DPOP_MISMATCH = "dpop_mismatch"
    OLD_TOKEN_ELSEWHERE = "old_token_elsewhere"  # noqa: S105  # no password
    FORGOTTEN_TURN = "forgotten_turn"
    UNKNOWN_TURN = "unknown_turn"
    LATE_REPLAY = "late_replay"
    MANY_LATE_REPLAYS = "many_late_replays"
    THEFT = "theft"


class RefusalCode(StrEnum):
    """Why a token buys nothing although nothing ends."""

    INVALID_GRANT = "invalid_grant"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    KEY_LOST = "key_lost"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"


@dataclass(frozen=True, slots=True)
class Turned:
    """The family has moved to its next turn; answer the token of `family.turn`."""

    family: Family
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """No turn; answer the token of `family.turn` once more."""

    family: Family
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is handed out, nothing ends."""

    family: Family
    code: RefusalCode
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The family is over: since before, or by this request."""

    family: Family
    ending: Ending
    reports: tuple[Report, ...] = ()


Decision = Turned | Replayed | Refused | Ended


def spend(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Decision:
    """Decide what presenting this token does. Save `.family` of the decision, also when it refuses.

    Implements: the table above; a documented divergence from RFC 9700 section 4.14.2 (docs/divergences.md).
    Does not check: the MAC of the token, the client's authentication, the user's status.
    """
    if over := family.ending or run_out(family.expires_at, family.used_at + policy.idle_s, now=now):
        return Ended(family._replace(ending=over), over)
    if presented.client_id != family.client_id:
        return Refused(family, RefusalCode.INVALID_GRANT, (Report.OTHER_CLIENT,))
    if family.binder.kind is BinderKind.DPOP and not _same(presented.dpop_digest, family.binder.digest):
        return Refused(family, RefusalCode.INVALID_DPOP_PROOF, (Report.DPOP_MISMATCH,))
    if family.binder.kind is BinderKind.INSTANCE and not _same(
        presented.instance_digest, family.binder.digest
    ):
        if presented.turn < family.turn - 1:
            return Refused(family, RefusalCode.INVALID_GRANT, (Report.OLD_TOKEN_ELSEWHERE,))
        return _theft(family, now=now)
    if presented.turn > family.turn:
        return _ahead(family, presented, now=now, policy=policy)
    if presented.turn == family.turn:
        return _current(family, presented, now=now, policy=policy)
    if presented.turn == family.turn - 1:
        return _previous(family, presented, now=now, policy=policy)
    return _theft(family, now=now)


def spend_for(scopes: Collection[str], audience: str | None) -> Callable[..., Decision]:
    """`spend` for a request that names what it is for: no more scopes than the family has (RFC 6749 section 6), and
    the family's audience if any (RFC 8707 section 2.2). Another is `Refused`, and its token is not spent.
    """

    def rule(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Decision:
        decision = spend(family, presented, now=now, policy=policy)
        if isinstance(decision, Turned | Replayed):
            if not set(scopes) <= set(family.scope.split()):
                return Refused(family, RefusalCode.INVALID_SCOPE, ())
            if audience not in (None, family.audience):
                return Refused(family, RefusalCode.INVALID_TARGET, ())
        return decision

    return rule


def vouch(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Decision:
    """Decide, by the same table but without a turn, whether this token may speak for its session.

    `Replayed` when it may. A token too old to buy anything is `Refused`: it ends nothing either.
    """
    if presented.turn < family.turn - 1 and not family.ending:
        return Refused(family, RefusalCode.INVALID_GRANT, (Report.OLD_TOKEN_ELSEWHERE,))
    decision = spend(family, presented, now=now, policy=policy)
    if isinstance(decision, Turned | Replayed):
        return Replayed(family, decision.reports)
    return decision


def log_out(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Decision:
    """Decide what a log-out with this refresh token does: `Ended` with `logged_out` when it may speak."""
    decision = vouch(family, presented, now=now, policy=policy)
    if isinstance(decision, Replayed):
        ending = Ending(EndReason.LOGGED_OUT, now)
        return Ended(family._replace(ending=ending), ending, decision.reports)
    return decision


def _ahead(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Decision:
    if family.binder.kind is BinderKind.NONE:
        return Refused(family, RefusalCode.KEY_LOST, (Report.UNKNOWN_TURN,))
    decision = _current(family._replace(turn=presented.turn), presented, now=now, policy=policy)
    return replace(decision, reports=(Report.FORGOTTEN_TURN, *decision.reports))


def _current(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Turned | Replayed:
    if family.turn >= 1 and now - family.handed_out_at < 2 * policy.grace_s:
        return Replayed(family._replace(known=True))
    return Turned(
        family._replace(
            turn=family.turn + 1,
            handed_out_at=now,
            used_at=now,
            known=False,
            late=False,
            late_replays=0,
            score=family.score if family.late else max(0, family.score - 1),
            uses_attempts=family.uses_attempts or presented.attempt_digest is not None,
            attempt_digest=presented.attempt_digest,
            address=presented.address,
            user_agent=presented.user_agent,
        )
    )


def _previous(family: Family, presented: Presented, *, now: int, policy: RefreshPolicy) -> Decision:
    bound = family.binder.kind is not BinderKind.NONE
    if bound and family.uses_attempts and not _same(presented.attempt_digest, family.attempt_digest):
        return _theft(family, now=now)
    if now - family.handed_out_at <= policy.grace_s:
        return Replayed(family)
    if not bound and family.score > 0:
        return _theft(family, now=now)
    score = family.score if family.late else family.score + 1
    if score > MAX_SCORE:
        return _theft(family, now=now)
    late_replays = family.late_replays + 1
    reports = () if bound else (Report.LATE_REPLAY,)
    if late_replays == MAX_LATE_REPLAYS + 1:
        reports = (*reports, Report.MANY_LATE_REPLAYS)
    marked = family._replace(
        late=True,
        late_replays=late_replays,
        score=score,
        handed_out_at=family.handed_out_at if family.known else now,
    )
    return Replayed(marked, reports)


def _theft(family: Family, *, now: int) -> Ended:
    ending = Ending(EndReason.REPLAYED, now)
    return Ended(family._replace(ending=ending), ending, (Report.THEFT,))


def _same(presented: bytes | None, kept: bytes | None) -> bool:
    return presented is not None and kept is not None and compare_digest(presented, kept)
