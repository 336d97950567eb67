"""What every test may ask for: databases on SQLite and on PostgreSQL, fresh for each test."""

import asyncio
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import is_hypothesis_test, settings

from mapae.server.store.migrations import migrate
from tests.postgres import PostgresMissing, throw_away_cluster

# A busy machine is no defect of the code: no test has a time limit for each example.
settings.register_profile("mapae", deadline=None)
settings.load_profile("mapae")

#: Names a server to use in place of a throw-away one: a postgresql:// URL whose user may create databases.
SERVER_VARIABLE = "MAPAE_TEST_POSTGRES_URL"


@dataclass
class PostgresServer:
    """Where tests make databases. `url` has the rights to do so."""

    url: str
    _names: Iterator[str] = field(
        default_factory=lambda: map(f"mapae_test_{secrets.token_hex(4)}_{{}}".format, itertools.count())
    )

    def create(self, template: str = "template1") -> str:
        """Make a database, empty or a copy of `template`: its name."""
        name = next(self._names)
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}{self._strategy}")
        return name

    def drop(self, name: str) -> None:
        """Delete a database, and cut off whoever is still connected to it."""
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def url_of(self, name: str) -> str:
        """The postgresql:// URL of a database."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    @cached_property
    def _strategy(self) -> str:
        """The one that is fast where nobody waits for the disk; the only one before PostgreSQL 15."""
        return " STRATEGY FILE_COPY" if int(self._run("SHOW server_version_num")) >= 150000 else ""

    def _run(self, statement: str) -> Any:
        async def run() -> Any:
            connection = await asyncpg.connect(self.url)
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()

        return asyncio.run(run())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage does not watch properties: they take the ways of the other tests again, a hundred times."""
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("no_cover")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """With pytest-xdist, the process that starts the workers also starts the server that they share."""
    if SERVER_VARIABLE not in os.environ:
        cluster = ExitStack()
        config.add_cleanup(cluster.close)
        os.environ[SERVER_VARIABLE] = cluster.enter_context(throw_away_cluster(durable=False)).url()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server: the one that MAPAE_TEST_POSTGRES_URL names, or a throw-away one."""
    with ExitStack() as cluster:
        try:
            url = (
                os.environ.get(SERVER_VARIABLE)
                or cluster.enter_context(throw_away_cluster(durable=False)).url()
            )
        except PostgresMissing as missing:
            pytest.fail(str(missing), pytrace=False)
        yield PostgresServer(url)


@pytest.fixture(scope="session")
def postgresql_template(postgres: PostgresServer) -> Iterator[str]:
    """Name of a migrated database that is only copied."""
    name = postgres.create()
    migrate(postgres.url_of(name))
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that is only copied."""
    path = tmp_path_factory.mktemp("template") / "mapae.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database for one test."""
    name = postgres.create()
    yield postgres.url_of(name)
    postgres.drop(name)


@pytest.fixture
def postgresql_url(postgres: PostgresServer, postgresql_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database for one test."""
    name = postgres.create(postgresql_template)
    yield postgres.url_of(name)
    postgres.drop(name)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """An SQLite database for one test, whose file is not there yet."""
    return f"sqlite:///{tmp_path / 'mapae.db'}"


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A migrated SQLite database for one test."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mapae.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """An empty database for one test, which runs once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue(f"empty_{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database for one test, which runs once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the steps of the journey that everything else is there for, also where processes share the tests."""
    for report in terminalreporter.getreports("passed"):
        if "test_the_eight_steps" in report.nodeid:
            terminalreporter.section(report.nodeid.rpartition("::")[2], sep="-")
            terminalreporter.write(report.capstdout)
