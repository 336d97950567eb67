"""Authorization code: a code in, the family it stands for out (RFC 6749 section 4.1.3, RFC 7636)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from mapae.entropy import Entropy
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.token_request import CodeRequest
from mapae.server.actions.group_commit import GroupCommit
from mapae.server.actions.issue import Granted
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.codes import Code, CodePresented, CodeRefused, CodeReplayed, Redeemed, redeem
from mapae.server.domain.events import CodeRedeemed, CodeReplay, Event
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.ids import new_id
from mapae.server.domain.sessions import Ending, EndReason
from mapae.server.store.codes import CodeRead
from mapae.server.store.engine import Database, StoreUnavailable
from mapae.server.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Redemption:
    """One code that was presented, by whom, and the id of the family that it may begin."""

    client: Client
    request: CodeRequest
    caller: Caller
    family_id: str


#: What tokens are issued for and the code that stood for it, or why nothing is.
Outcome = tuple[Granted, Code] | OAuthError


class AuthorizationCodeGrant:
    """Redeems codes in batches: one read under a lock, the rule in Python, one commit.

    Whoever presents the same code elsewhere has to wait; within a batch they are decided one after the other.
    """

    def __init__(self, database: Database, entropy: Entropy) -> None:
        self._database = database
        self._entropy = entropy
        self._commits = GroupCommit(self._redeem_all, common=StoreUnavailable)

    async def __call__(self, client: Client, request: CodeRequest, caller: Caller) -> tuple[Granted, Code]:
        """What tokens are issued for, and the code that stood for it.

        Raises:
            OAuthError: INVALID_GRANT. A code that was used before has by then ended what its first use began.
                INVALID_TARGET when the request names another resource than the code is for.
            StoreUnavailable: nothing was redeemed, unless only the word of it was lost.
        """
        outcome = await self._commits.submit(Redemption(client, request, caller, new_id(self._entropy)))
        if isinstance(outcome, OAuthError):
            raise outcome
        return outcome

    async def _redeem_all(self, batch: Sequence[Redemption]) -> Sequence[Outcome]:
        digests = [one.request.code.digest() for one in batch]
        async with self._database.unit() as unit:
            decided = _Decided(dict(await unit.codes.for_update(set(digests))))
            outcomes = [decided.decide(one, digest) for one, digest in zip(batch, digests, strict=True)]
            await decided.save(unit)
            await unit.commit()
        return outcomes


@dataclass(slots=True)
class _Decided:
    """What a batch comes to. `reads` are the codes as the decisions so far leave them."""

    reads: dict[bytes, CodeRead]
    spent: list[Code] = field(default_factory=list)
    begun: dict[str, Family] = field(default_factory=dict)
    replayed: dict[str, Ending] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def decide(self, one: Redemption, digest: bytes) -> Outcome:
        """Decide what presenting a code does, and note what has to be saved."""
        read = self.reads.get(digest)
        if read is None:
            return _invalid("no such code")
        client, caller = one.client, one.caller
        presented = CodePresented(client.client_id, one.request.redirect_uri, one.request.verifier)
        match redeem(read.code, presented, family_id=one.family_id, now=read.now):
            case Redeemed(code):
                return _fault(one, read) or self._begin(one, code, read)
            case CodeReplayed(family_id):
                self.replayed[family_id] = Ending(EndReason.REPLAYED, read.now)
                told = (read.user.id, read.code.session_id, client.client_id)
                self.events.append(CodeReplay(*told, caller.address, caller.user_agent))
                return _invalid("the code was used before")
            case CodeRefused(detail):
                return _invalid(detail)
            case decision:
                assert_never(decision)

    async def save(self, unit: Unit) -> None:
        """Keep it all."""
        begun = [family._replace(ending=self.replayed.get(family.id)) for family in self.begun.values()]
        if begun:
            await unit.codes.save(self.spent)
            await unit.families.add(*begun)
        if former := self.replayed.keys() - self.begun.keys():
            reads = (await unit.families.for_update(former)).values()
            live = [read.family for read in reads if read.family.ending is None]
            if live:
                await unit.families.save(
                    [(family, family._replace(ending=self.replayed[family.id])) for family in live]
                )
        unit.record(*self.events)

    def _begin(self, one: Redemption, code: Code, read: CodeRead) -> tuple[Granted, Code]:
        client, caller = one.client, one.caller
        family = Family(
            id=one.family_id,
            session_id=code.session_id,
            client_id=client.client_id,
            first_party=False,
            binder=Binder.of(caller.instance_digest, confidential=client.metadata.is_confidential),
            audience=code.audience,
            scope=code.scope,
            expires_at=read.session_expires_at,
            used_at=read.now,
            auth_time=code.auth_time,
            subject=code.subject,
            claims=code.claims,
            handed_out_at=read.now,
            address=caller.address,
            user_agent=caller.user_agent,
        )
        self.reads[code.digest] = read._replace(code=code)
        self.spent.append(code)
        self.begun[family.id] = family
        told = (read.user.id, code.session_id, client.client_id, code.scope)
        self.events.append(CodeRedeemed(*told, caller.address, caller.user_agent))
        return Granted(family, read.user.id, read.user.roles, read.now), code


def _fault(one: Redemption, read: CodeRead) -> OAuthError | None:
    """What keeps a code from being redeemed although it was presented the right way."""
    if one.request.resource not in (None, read.code.audience):
        return OAuthError(ErrorCode.INVALID_TARGET, detail="not the resource of the code")
    if read.session_ending is not None or read.now >= read.session_expires_at:
        return _invalid(f"session {read.code.session_id} is over")
    if read.user.disabled_at is not None:
        return _invalid("the user is disabled")
    return None


def _invalid(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_GRANT, detail=detail)
