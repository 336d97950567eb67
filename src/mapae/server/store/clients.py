"""Clients as rows, and the assertions they have used up."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mapae.oauth.client_metadata import ClientMetadata
from mapae.server.domain.clients import Client
from mapae.server.store import tables

_FIND: Final = select(tables.clients).where(tables.clients.c.client_id == bindparam("wanted"))
_ALL: Final = select(tables.clients).order_by(tables.clients.c.client_id)
_PUBLIC: Final = _ALL.where(tables.clients.c.members["token_endpoint_auth_method"].as_string() == "none")
_ALGORITHMS: Final = select(tables.clients.c.id_token_signed_response_alg).distinct()
_USE: Final = {
    dialect: insert_into(tables.assertions).on_conflict_do_nothing().returning(tables.assertions.c.client_id)
    for dialect, insert_into in (("sqlite", sqlite_insert), ("postgresql", postgresql_insert))
}


class ClientIdTaken(Exception):
    """A client of that id is there already. The transaction is spoilt: leave it."""


class Clients:
    """The clients of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, client_id: str) -> Client | None:
        """The client of that id."""
        row = (await self._connection.execute(_FIND, {"wanted": client_id})).one_or_none()
        return _client(row) if row else None

    async def all(self) -> Sequence[Client]:
        """Every client, by id."""
        return [_client(row) for row in await self._connection.execute(_ALL)]

    async def public(self) -> Sequence[Client]:
        """Those that do not authenticate themselves."""
        return [_client(row) for row in await self._connection.execute(_PUBLIC)]

    async def add(self, client: Client) -> None:
        """Keep a new client.

        Raises:
            ClientIdTaken: its id is.
        """
        try:
            await self._connection.execute(insert(tables.clients).values(_columns(client)))
        except IntegrityError as error:
            raise ClientIdTaken from error

    async def save(self, client: Client) -> None:
        """Keep what has changed of a client."""
        await self._connection.execute(
            update(tables.clients)
            .where(tables.clients.c.client_id == client.client_id)
            .values(_columns(client))
        )

    async def remove(self, client_id: str) -> bool:
        """Delete a client, with the codes and the consents it was given. Whether it was there.

        Its refresh families are not touched: see Families.end_of_client.
        """
        for table in (tables.codes, tables.consents, tables.assertions):
            await self._connection.execute(delete(table).where(table.c.client_id == client_id))
        removed = await self._connection.execute(
            delete(tables.clients).where(tables.clients.c.client_id == client_id)
        )
        return removed.rowcount == 1

    async def id_token_algorithms(self) -> Collection[str]:
        """What the clients want their ID tokens signed with."""
        return frozenset(await self._connection.scalars(_ALGORITHMS))

    async def use_assertion(self, client_id: str, jti_digest: bytes, expires_at: int) -> bool:
        """Note that a client has used an assertion. Whether this is its first use; kept until it has expired."""
        values = {"client_id": client_id, "jti_digest": jti_digest, "expires_at": expires_at}
        used = await self._connection.scalars(_USE[self._connection.dialect.name], values)
        return used.one_or_none() is not None


def _columns(client: Client) -> dict[str, Any]:
    metadata = client.metadata
    return {
        "client_id": client.client_id,
        "secret_hash": client.secret_hash,
        "members": metadata.to_dict(),
        "id_token_signed_response_alg": metadata.id_token_signed_response_alg,
        "backchannel_logout_uri": metadata.backchannel_logout_uri,
        "created_at": client.created_at,
    }


def _client(row: Row[Any]) -> Client:
    return Client(row.client_id, ClientMetadata.kept(row.members), row.secret_hash, row.created_at)
