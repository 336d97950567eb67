"""A throw-away PostgreSQL: found or installed, started on a free port of this machine, deleted at the end."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.debian import InstallFailed, install

START_LIMIT_S = 60
OPTIONS = {"max_connections": "300", "listen_addresses": "127.0.0.1"}
#: Of a cluster that need not survive the machine's crash: databases are made and deleted ten times as fast.
HASTY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresMissing(Exception):
    """There is no PostgreSQL, and none can be installed."""


@dataclass
class Cluster:
    """One PostgreSQL server of our own. Made by `throw_away_cluster`, which also deletes it.

    With `durable`, `fsync` is on: what the server acknowledged survives `stop`, which is a crash to the database.
    """

    folder: Path
    binaries: Path
    user: str | None  # whom the server runs as; None: as ourselves
    password: str
    port: int
    durable: bool = True
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def url(self, database: str = "postgres") -> str:
        """postgresql:// URL of one of its databases, with superuser rights."""
        return f"postgresql://mapae:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server on its port and wait until it takes connections."""
        chosen = {**OPTIONS, **({} if self.durable else HASTY), "port": self.port}
        options = [f"--{name}={value}" for name, value in chosen.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *_dies_with_us(),
                    self.binaries / "postgres",
                    *("-D", self.folder / "data", "-k", self.folder),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops the server
                user=self.user,
                group=_group_of(self.user),
                extra_groups=[] if self.user else None,
            )
        deadline = time.monotonic() + START_LIMIT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop at once, without a checkpoint: clients lose their connections, the next start recovers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(START_LIMIT_S)
            self._process = None

    def restart(self) -> None:
        """Stop at once and start again on the same port."""
        self.stop()
        self.start()

    def _is_ready(self) -> bool:
        # As pg_ctl does: the last line of this file is the server's state.
        try:
            return (self.folder / "data" / "postmaster.pid").read_text().rstrip().endswith("ready")
        except FileNotFoundError:
            return False


@contextmanager
def throw_away_cluster(*, durable: bool = True) -> Iterator[Cluster]:
    """A running cluster, stopped and deleted afterwards whatever happens.

    Args:
        durable: whether it waits for the disk.
    Raises:
        PostgresMissing: there is no PostgreSQL and none can be installed.
    """
    binaries = find_binaries()
    user = _unprivileged_user()
    # Root's own TMPDIR may be closed to the user the server runs as; /tmp is open to all.
    folder = Path(tempfile.mkdtemp(prefix="mapae-postgres-", dir="/tmp" if user else None))
    try:
        if user is not None:
            shutil.chown(folder, user)
        cluster = Cluster(folder, binaries, user, secrets.token_urlsafe(16), _free_port(), durable)
        _initialise(cluster)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`: on the path, where Debian keeps them, or installed now by root.

    Raises:
        PostgresMissing: neither found nor to be installed.
    """
    found = _installed_binaries()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = _installed_binaries()
    if found is None:
        raise PostgresMissing(
            "The tests need PostgreSQL: install it (on Debian: apt-get install postgresql) "
            "or name a server's postgresql:// URL in MAPAE_TEST_POSTGRES_URL."
        )
    return found


def _installed_binaries() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    named = []
    if shutil.which("pg_config"):
        answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        named = [Path(answer.stdout.strip())]
    folders = [*reversed(debian), *on_path, *named]
    return next(
        (path for path in folders if (path / "initdb").exists() and (path / "postgres").exists()), None
    )


def _install() -> None:
    try:
        install("postgresql")
    except InstallFailed as failed:
        raise PostgresMissing(str(failed)) from failed


def _unprivileged_user() -> str | None:
    """Whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group_of(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None


def _dies_with_us() -> Sequence[str]:
    """Prefix of a command that ends when this process does, even by kill -9 (Linux only)."""
    return ("setpriv", "--pdeathsig", "QUIT") if shutil.which("setpriv") else ()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _initialise(cluster: Cluster) -> None:
    password_file = cluster.folder / "password"
    password_file.write_text(cluster.password)
    password_file.chmod(0o644)  # the folder itself is closed to others
    done = subprocess.run(
        [
            cluster.binaries / "initdb",
            *("-D", cluster.folder / "data", "--username=mapae", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
        ],
        cwd=cluster.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=cluster.user,
        group=_group_of(cluster.user),
        extra_groups=[] if cluster.user else None,
    )
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stderr}")
