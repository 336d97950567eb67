"""Authorization code: a code in, the family it stands for out (RFC 6749 section 4.1.3, RFC 7636)."""

from dataclasses import dataclass
from typing import assert_never

from mapae.entropy import Entropy
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.token_request import CodeRequest
from mapae.server.actions.issue import Granted
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.codes import Code, CodePresented, CodeRefused, CodeReplayed, Redeemed, redeem
from mapae.server.domain.events import CodeRedeemed, CodeReplay
from mapae.server.domain.families import Binder, Family
from mapae.server.domain.ids import new_id
from mapae.server.domain.sessions import Ending, EndReason
from mapae.server.store.codes import CodeRead
from mapae.server.store.engine import Database
from mapae.server.store.unit import Unit


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant:
    """Redeems a code: one transaction, in which everybody else who presents the same code has to wait."""

    database: Database
    entropy: Entropy

    async def __call__(self, client: Client, request: CodeRequest, caller: Caller) -> tuple[Granted, Code]:
        """What tokens are issued for, and the code that stood for it.

        Raises:
            OAuthError: INVALID_GRANT. A code that was used before has by then ended what its first use began.
                INVALID_TARGET when the request names another resource than the code is for.
            StoreUnavailable: nothing was redeemed, unless only the word of it was lost.
        """
        async with self.database.unit() as unit:
            read = await unit.codes.for_update(request.code.digest())
            if read is None:
                raise _invalid("no such code")
            presented = CodePresented(client.client_id, request.redirect_uri, request.verifier)
            match redeem(read.code, presented, family_id=new_id(self.entropy), now=read.now):
                case Redeemed(code):
                    if request.resource not in (None, code.audience):
                        raise OAuthError(ErrorCode.INVALID_TARGET, detail="not the resource of the code")
                    return await _begin(unit, client, code, read, caller), code
                case CodeReplayed(family_id):
                    await _end(unit, family_id, client, read, caller)
                case CodeRefused(detail):
                    raise _invalid(detail)
                case decision:
                    assert_never(decision)
        raise _invalid("the code was used before")


async def _begin(unit: Unit, client: Client, code: Code, read: CodeRead, caller: Caller) -> Granted:
    if read.session_ending is not None or read.now >= read.session_expires_at:
        raise _invalid(f"session {code.session_id} is over")
    if read.user.disabled_at is not None:
        raise _invalid("the user is disabled")
    assert code.family_id is not None
    family = Family(
        id=code.family_id,
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
    await unit.codes.save(code)
    await unit.families.add(family)
    unit.record(
        CodeRedeemed(
            read.user.id, code.session_id, client.client_id, code.scope, caller.address, caller.user_agent
        )
    )
    await unit.commit()
    return Granted(family, read.user.id, read.user.roles, read.now)


async def _end(unit: Unit, family_id: str, client: Client, read: CodeRead, caller: Caller) -> None:
    begun = (await unit.families.for_update([family_id])).get(family_id)
    if begun is not None and begun.family.ending is None:
        ended = begun.family._replace(ending=Ending(EndReason.REPLAYED, read.now))
        await unit.families.save([(begun.family, ended)])
    unit.record(
        CodeReplay(read.user.id, read.code.session_id, client.client_id, caller.address, caller.user_agent)
    )
    await unit.commit()


def _invalid(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_GRANT, detail=detail)
