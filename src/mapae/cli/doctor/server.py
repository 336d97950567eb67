"""Checks of a server from inside: its settings, certificate, database and secret key."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from mapae.cli.doctor.finding import Finding, fail, ok
from mapae.cli.doctor.issuer import certificate_finding
from mapae.cli.errors import ExitCode
from mapae.cli.output import counted
from mapae.server.actions.rotate_keys import WrongSecretKey
from mapae.server.adapters.sealing import CannotOpen
from mapae.server.app import rotation_of
from mapae.server.domain.keys import REFRESH_ALGORITHM
from mapae.server.settings import Settings, SettingsError, load_settings
from mapae.server.startup import CannotStart, check_certificate, check_schema, told
from mapae.server.store.engine import open_database


def load() -> tuple[Settings | None, list[Finding]]:
    """The settings of this shell, and what is to be said of them; None when they cannot be used."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        return None, [fail("settings", problem, ExitCode.USAGE) for problem in error.problems]
    return settings, [ok("settings", f"are complete, for {settings.issuer}")]


def server_findings(settings: Settings, now: float) -> Iterator[Finding]:
    """Look at what the settings name. Nothing is made or changed."""
    if settings.tls_cert is not None:
        yield _certificate(settings, settings.tls_cert, now)
    try:
        with told():
            keys = asyncio.run(_opened_keys(settings))
    except CannotStart as problem:
        yield fail("database", str(problem), ExitCode.REFUSED)
    else:
        yield ok(
            "database", f"has this version's schema, and {counted(keys, 'key')} that MAPAE_SECRET_KEY opens"
        )


def _certificate(settings: Settings, path: Path, now: float) -> Finding:
    try:
        check_certificate(settings)
        certificate = load_pem_x509_certificate(path.read_bytes())
    except (CannotStart, ValueError) as problem:
        return fail("MAPAE_TLS_CERT", str(problem), ExitCode.REFUSED)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return certificate_finding("MAPAE_TLS_CERT", begins.timestamp(), ends.timestamp(), now)


async def _opened_keys(settings: Settings) -> int:
    """How many keys of refresh tokens the database has; every one was opened.

    Raises:
        CannotStart, NewerSchema, StoreUnavailable, WrongSecretKey: as `startup.told` expects.
    """
    database = open_database(settings.database_url.reveal())
    try:
        await check_schema(database)
        rotation = rotation_of(settings, database)
        seen = await rotation.read()
        keys = [key for key in seen.keys if key.algorithm == REFRESH_ALGORITHM and key.is_live(seen.now)]
        for key in keys:
            try:
                rotation.sealed.refresh_key(key)
            except CannotOpen as error:
                raise WrongSecretKey(key.kid) from error
        return len(keys)
    finally:
        await database.close()
