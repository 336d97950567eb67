"""A unit of work: every aggregate on one connection, kept together or not at all."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.server.domain.events import Event
from mapae.server.store.access_tokens import AccessTokens
from mapae.server.store.browsers import Browsers
from mapae.server.store.clients import Clients
from mapae.server.store.codes import Codes
from mapae.server.store.consents import Consents
from mapae.server.store.devices import Devices
from mapae.server.store.events import Events
from mapae.server.store.families import Families
from mapae.server.store.jobs import Jobs
from mapae.server.store.keys import Keys
from mapae.server.store.limits import Limits
from mapae.server.store.logout_deliveries import LogoutDeliveries
from mapae.server.store.now import database_now
from mapae.server.store.resource_servers import ResourceServers
from mapae.server.store.sessions import Sessions
from mapae.server.store.subjects import Subjects
from mapae.server.store.users import Users


class Unit:
    """One connection's aggregates. Only actions commit."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._recorded: list[Event] = []
        self.users = Users(connection)
        self.resource_servers = ResourceServers(connection)
        self.clients = Clients(connection)
        self.sessions = Sessions(connection)
        self.families = Families(connection)
        self.codes = Codes(connection)
        self.access_tokens = AccessTokens(connection)
        self.subjects = Subjects(connection)
        self.browsers = Browsers(connection)
        self.consents = Consents(connection)
        self.logout_deliveries = LogoutDeliveries(connection)
        self.keys = Keys(connection)
        self.devices = Devices(connection)
        self.limits = Limits(connection)
        self.jobs = Jobs(connection)

    async def now(self) -> int:
        """The database's clock, NumericDate seconds."""
        return (await self._connection.scalars(select(database_now()))).one()

    def record(self, *events: Event) -> None:
        """Have these audit events saved by `commit`, in the same transaction."""
        self._recorded.extend(events)

    async def commit(self) -> None:
        """Save the recorded events and make everything durable."""
        await Events(self._connection).add(self._recorded)
        self._recorded.clear()
        await self._connection.commit()
