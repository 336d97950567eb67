"""Before the first request: whether the server can start, and one sentence where it cannot."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from mapae.server.actions.rotate_keys import WrongSecretKey
from mapae.server.adapters.key_holders import HolderUnavailable
from mapae.server.app import opened
from mapae.server.settings import Settings
from mapae.server.store.engine import Database, NoDatabase, StoreUnavailable, open_database
from mapae.server.store.migrations import NewerSchema, SchemaState, schema_state, upgrade

_BACKLOG = 2048


class CannotStart(Exception):
    """What happened and what to do, in one sentence or two, without secrets."""


async def check(settings: Settings) -> None:
    """Check certificates, database, schema and key ring. With `dev` the schema is brought up to date here.

    Raises:
        CannotStart: one of them is not as it has to be; nothing is half-done.
    """
    check_certificate(settings)
    check_authorities(settings)
    with told():
        database = open_database(settings.database_url.reveal(), create=settings.dev)
        try:
            if settings.dev:
                await upgrade(database)
            await check_schema(database)
        finally:
            await database.close()
        async with opened(settings):
            pass


def check_certificate(settings: Settings) -> None:
    """Check that the files of TLS, where there are any, hold a certificate and its private key.

    Raises:
        CannotStart: they do not, or the key wants a passphrase.
    """
    if settings.tls_cert is None:
        return
    try:
        # Without a passphrase of ours, each worker would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=lambda: ""
        )
    except (ssl.SSLError, OSError) as error:
        raise CannotStart(
            f"MAPAE_TLS_CERT and MAPAE_TLS_KEY cannot be used ({getattr(error, 'reason', None) or error}); "
            "give a certificate chain and its private key in PEM, the key not encrypted"
        ) from error


def check_authorities(settings: Settings) -> None:
    """Check that the file of authorities for our own fetches, where there is one, holds certificates.

    Raises:
        CannotStart: it does not.
    """
    if settings.outbound_ca_file is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(settings.outbound_ca_file)
    except (ssl.SSLError, OSError) as error:
        raise CannotStart(
            f"MAPAE_OUTBOUND_CA_FILE cannot be used ({getattr(error, 'reason', None) or error}); "
            "give certificates of authorities in PEM"
        ) from error


async def check_schema(database: Database) -> None:
    """Check that the database has this version's schema.

    Raises:
        CannotStart: it has an older one.
        NewerSchema: it has a newer one.
    """
    match await schema_state(database.writing):
        case SchemaState.OLDER:
            raise CannotStart("the database's schema is older than this version of Mapae; run: mapae migrate")
        case SchemaState.NEWER:
            raise NewerSchema
        case SchemaState.CURRENT:
            return


@contextmanager
def told() -> Iterator[None]:
    """Within it, every failure of store and keys is `CannotStart` with a sentence for the operator."""
    try:
        yield
    except NoDatabase as error:
        raise CannotStart(f"{error}; to make that database, run: mapae migrate") from error
    except StoreUnavailable as error:
        raise CannotStart(
            f"the database cannot be used: {error}; check MAPAE_DATABASE_URL, that it is running and writable"
        ) from error
    except NewerSchema as error:
        raise CannotStart("the database was migrated by a newer version of Mapae; upgrade Mapae") from error
    except HolderUnavailable as error:
        raise CannotStart(f"a signing key cannot be used: {error}") from error
    except WrongSecretKey as error:
        raise CannotStart(
            f"MAPAE_SECRET_KEY does not open the signing keys of this database (key {error}); set the one it was "
            "made with, or name that in MAPAE_SECRET_KEY_OLD"
        ) from error


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there, for the workers to share.

    Raises:
        CannotStart: the port is taken, or not ours to take, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotStart(_bind_failed(host, port, error)) from error
    listener.set_inheritable(True)
    return listener


def _bind_failed(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use; stop what listens there or choose another with --port"
        case errno.EACCES:
            return f"port {port} needs more rights than this user has; choose one above 1023 with --port"
        case _:
            return f"{host} port {port} cannot be listened on: {error.strerror or error}; check --host"
