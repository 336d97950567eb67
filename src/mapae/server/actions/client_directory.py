"""The clients as a process sees them: in memory, at most two seconds old."""

from collections import OrderedDict
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from mapae.clock import Clock
from mapae.server.domain.clients import CLIENT_ID, COMMAND_LINE, Client
from mapae.server.store.engine import Database

#: Seconds after which the database is asked again.
KEPT_S: Final = 2
#: The most clients that are kept in memory; the one read longest ago goes first.
MOST: Final = 1000


class _Read(NamedTuple):
    client: Client
    until: float


class ClientDirectory:
    """Finds clients without a statement for each request. Those that do not exist are not remembered."""

    def __init__(self, database: Database, *, monotonic: Clock) -> None:
        self._database = database
        self._monotonic = monotonic
        self._read: OrderedDict[str, _Read] = OrderedDict()
        self._origins: frozenset[str] = frozenset()
        self._origins_until = float("-inf")

    async def find(self, client_id: str) -> Client | None:
        """The client of that id, our own command line among them.

        Raises:
            StoreUnavailable: the database cannot be asked now.
        """
        if client_id == COMMAND_LINE.client_id:
            return COMMAND_LINE
        if not CLIENT_ID.fullmatch(client_id):
            return None
        read = self._read.get(client_id)
        if read is not None and self._monotonic() < read.until:
            return read.client
        async with self._database.reading() as unit:
            client = await unit.clients.find(client_id)
        self._read.pop(client_id, None)
        if client is not None:
            self._read[client_id] = _Read(client, self._monotonic() + KEPT_S)
            if len(self._read) > MOST:
                self._read.popitem(last=False)
        return client

    async def browser_origins(self) -> frozenset[str]:
        """The origins that pages of public clients have: those of their redirect URIs that are https or http.

        Raises:
            StoreUnavailable: the database cannot be asked now.
        """
        if self._monotonic() >= self._origins_until:
            async with self._database.reading() as unit:
                clients = await unit.clients.public()
            uris = (urlsplit(uri) for client in clients for uri in client.metadata.redirect_uris)
            self._origins = frozenset(
                f"{uri.scheme}://{uri.netloc}" for uri in uris if uri.scheme in ("https", "http")
            )
            self._origins_until = self._monotonic() + KEPT_S
        return self._origins
