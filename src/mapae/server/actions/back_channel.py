"""Back-channel logout: clients are told that a session is over, from an outbox, while nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog

from mapae.server.actions.client_directory import ClientDirectory
from mapae.server.actions.mint import Mint
from mapae.server.adapters.fetch import FetchFailed, GuardedFetch
from mapae.server.adapters.key_holders import HolderUnavailable
from mapae.server.adapters.metrics import Metrics
from mapae.server.domain.events import LogoutUndelivered
from mapae.server.store.engine import Database, StoreUnavailable
from mapae.server.store.logout_deliveries import Delivery

log = structlog.get_logger()

#: Seconds between two looks at the outbox, for what other processes put there.
LOOK_S: Final = 2
#: Seconds to wait after the first failure, the second, …; after as many tries and one more it is given up.
BACK_OFF_S: Final = (2, 10, 60, 300)
#: Deliveries that are under way at a time, and the seconds after which one is taken for lost.
_MOST: Final = 20
_LEASE_S: Final = 30
#: Answers after which the same may succeed: time-outs, too early, too many, and errors of the server.
_PASSING: Final = frozenset({408, 425, 429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class BackChannel:
    """Delivers logout tokens (OpenID Connect Back-Channel Logout 1.0). One that is lost on the way is sent again.

    `wake` is set by whoever may have put something into the outbox.
    """

    database: Database
    clients: ClientDirectory
    mint: Mint
    fetch: GuardedFetch
    metrics: Metrics
    wake: asyncio.Event

    async def deliver_due(self) -> None:
        """Deliver what is due, until nothing is.

        Raises:
            StoreUnavailable: what was not delivered yet stays in the outbox.
        """
        while True:
            async with self.database.reading() as unit:
                if not await unit.logout_deliveries.any_due():
                    return
            async with self.database.unit() as unit:
                claimed = await unit.logout_deliveries.claim(most=_MOST, lease_s=_LEASE_S)
                await unit.commit()
            await asyncio.gather(*map(self._deliver, claimed))

    async def _deliver(self, delivery: Delivery) -> None:
        outcome = await self._outcome(delivery)
        self.metrics.logout_delivery(outcome)
        async with self.database.unit() as unit:
            if outcome == "put_off":
                await unit.logout_deliveries.put_off(delivery.id, by_s=BACK_OFF_S[delivery.tries - 1])
            else:
                await unit.logout_deliveries.done(delivery.id)
            if outcome == "given_up":
                unit.record(LogoutUndelivered(delivery.client_id, delivery.session_id))
            await unit.commit()

    async def _outcome(self, delivery: Delivery) -> str:
        """`delivered`, `put_off`, or `given_up`."""
        client = await self.clients.find(delivery.client_id)
        if client is None or client.metadata.backchannel_logout_uri is None:
            return "given_up"
        last = delivery.tries > len(BACK_OFF_S)
        try:
            token = await self.mint.logout_token(
                client_id=client.client_id,
                subject=delivery.subject,
                session_id=delivery.session_id,
                algorithm=client.metadata.id_token_signed_response_alg,
            )
            status = await self.fetch.post_form(
                client.metadata.backchannel_logout_uri, {"logout_token": token}
            )
        except (FetchFailed, HolderUnavailable) as error:
            log.info("logout_not_delivered", client_id=delivery.client_id, detail=str(error))
            return "given_up" if last else "put_off"
        if 200 <= status < 300:
            return "delivered"
        log.info("logout_not_delivered", client_id=delivery.client_id, status=status)
        # What the client does not take now it will not take later, unless it is its own fault.
        return "put_off" if status in _PASSING and not last else "given_up"

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """While inside, the outbox is emptied in the background; what is under way on leaving is sent again later."""
        task = asyncio.create_task(self._deliver_for_ever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _deliver_for_ever(self) -> None:
        while True:
            self.wake.clear()
            try:
                await self.deliver_due()
            except StoreUnavailable as error:
                log.warning("logouts_put_off", detail=str(error))
            except Exception:
                log.exception("logouts_put_off")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), LOOK_S)
