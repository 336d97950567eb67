"""A server to measure: its processes, its users, its databases."""

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from mapae.server.store.migrations import migrate
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started
from tests.postgres import Cluster, throw_away_cluster

PASSWORD = "correct horse battery staple"
USERS = 8
CLIENT_ID = "service"
CLIENT_SECRET = "a secret: with signs"
WEB_CLIENT_ID, WEB_CALLBACK = "web", "https://app.example.com/callback"
SETUP = "\n".join(
    [
        *(
            f'[[users]]\nusername = "user{number}"\npassword = "{PASSWORD}"\nroles = ["member"]'
            for number in range(USERS)
        ),
        '[[resource_servers]]\naudience = "https://api.example.com"\nscopes = ["orders:read", "orders:write"]',
        f'[[clients]]\nclient_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\nscope = "orders:read"\n'
        'grant_types = ["client_credentials"]\nresource_server = "https://api.example.com"\n'
        'id_token_signed_response_alg = "ES256"',
        f'[[clients]]\nclient_id = "{WEB_CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\n'
        f'redirect_uris = ["{WEB_CALLBACK}"]\nscope = "openid orders:read"\nskip_consent = true\n'
        'grant_types = ["authorization_code", "refresh_token"]\nid_token_signed_response_alg = "ES256"',
    ]
)


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, with which settings, and its first process."""

    port: int
    environ: dict[str, str]
    process: psutil.Process

    @property
    def url(self) -> str:
        """Its issuer identifier."""
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[psutil.Process]:
        """The processes that answer: that one, or its children that listen."""
        children = [child for child in self.process.children() if "spawn_main" in " ".join(child.cmdline())]
        return children or [self.process]

    def cpu_s(self) -> float:
        """Seconds of processor time that the workers have used so far."""
        return sum(sum(worker.cpu_times()[:2]) for worker in self.workers())


@dataclass(frozen=True)
class Databases:
    """Fresh databases: files, and a PostgreSQL of our own."""

    folder: Path
    cluster: Cluster
    _numbers: Iterator[int]

    def sqlite(self) -> str:
        """URL of a file that is not there yet."""
        return f"sqlite:///{self.folder / f'bench{next(self._numbers)}.db'}"

    def postgresql(self) -> str:
        """URL of an empty database."""
        name = f"bench{next(self._numbers)}"
        subprocess.run(
            [self.cluster.binaries / "createdb", f"--maintenance-db={self.cluster.url()}", name], check=True
        )
        return self.cluster.url(name)


@contextmanager
def databases() -> Iterator[Databases]:
    """Databases that are gone afterwards."""
    with TemporaryDirectory(prefix="mapae-bench-") as folder, throw_away_cluster() as cluster:
        yield Databases(Path(folder), cluster, itertools.count())


def settings_for(database_url: str, port: int, **settings: str) -> dict[str, str]:
    """The environment of a server as an operator would run it."""
    return environment(
        MAPAE_ISSUER=f"http://127.0.0.1:{port}",
        MAPAE_DATABASE_URL=database_url,
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
        MAPAE_LOG_LEVEL="warning",
        **settings,
    )


@contextmanager
def serving(database_url: str, *, workers: int = 1, **settings: str) -> Iterator[Server]:
    """A server with its users, ended afterwards."""
    port = free_port()
    environ = settings_for(database_url, port, **settings)
    migrate(database_url)
    with TemporaryDirectory() as folder:
        setup = Path(folder, "setup.toml")
        setup.write_text(SETUP)
        mapae("apply", str(setup), environ=environ)
        command = (MAPAE, "serve", "--port", str(port), "--workers", str(workers))
        ready = f"http://127.0.0.1:{port}/health/ready"
        with started(command, environ=environ, ready=ready, log=Path(folder, "log")) as process:
            yield Server(port, environ, psutil.Process(process.pid))


def pgbench() -> str | None:
    """The program, where there is one."""
    return shutil.which("pgbench")
