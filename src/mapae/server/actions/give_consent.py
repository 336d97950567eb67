"""A user agrees that a client may have what it asks for."""

from dataclasses import dataclass

from mapae.server.domain.authorize import AskConsent
from mapae.server.domain.consents import granted
from mapae.server.domain.events import ConsentGiven
from mapae.server.store.engine import Database


@dataclass(frozen=True, slots=True)
class GiveConsent:
    """One transaction, with its audit event."""

    database: Database

    async def __call__(self, asked: AskConsent, *, not_before: int) -> None:
        """Keep that the user agrees to what they were asked.

        Args:
            not_before: when the request began that they were asked in.
        Raises:
            StoreUnavailable: it was not kept.
        """
        user = asked.signed_in
        async with self.database.unit() as unit:
            consent = granted(
                user.consents,
                user_id=user.user.id,
                client_id=asked.client.client_id,
                destination=asked.destination,
                scope=asked.scope,
                now=max(await unit.now(), not_before),
            )
            await unit.consents.save(consent)
            unit.record(ConsentGiven(consent.user_id, consent.client_id, str(consent.scope)))
            await unit.commit()
