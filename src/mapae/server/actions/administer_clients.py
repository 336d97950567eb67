"""What an operator does with clients besides applying a set-up: see them, and remove one."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapae.server.domain.clients import Client
from mapae.server.domain.events import ClientRemoved
from mapae.server.domain.sessions import EndReason
from mapae.server.store.engine import Database


class NoSuchClient(Exception):
    """No client has that id."""


@dataclass(frozen=True, slots=True)
class AdministerClients:
    """The clients of a database. Our own command line is not among them."""

    database: Database

    async def all(self) -> Sequence[Client]:
        """Every client, by id."""
        async with self.database.reading() as unit:
            return await unit.clients.all()

    async def find(self, client_id: str) -> Client:
        """One client.

        Raises:
            NoSuchClient: see there.
        """
        async with self.database.reading() as unit:
            client = await unit.clients.find(client_id)
        if client is None:
            raise NoSuchClient
        return client

    async def remove(self, client_id: str) -> int:
        """Remove a client with all it was granted. Returns how many of its refresh families ended.

        Raises:
            NoSuchClient: see there.
        """
        async with self.database.unit() as unit:
            if not await unit.clients.remove(client_id):
                raise NoSuchClient
            ended = await unit.families.end_of_client(
                client_id, reason=EndReason.CLIENT_REMOVED, now=await unit.now()
            )
            unit.record(ClientRemoved(client_id, ended))
            await unit.commit()
        return ended
