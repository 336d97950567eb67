"""What keeps the server from starting is one line on stderr that says what to do; nothing is half-done."""

import asyncio
import os
import resource
import socket
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from mapae.server.store.engine import open_database
from mapae.server.store.migrations import migrate
from tests.journeys.processes import MAPAE, environment, free_port, started
from tests.postgres import throw_away_cluster

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
ANOTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA"
#: Prefix of a command that has no more rights than its user's files give it, although root may run the tests.
AN_ORDINARY_USER = (
    ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-net_bind_service")
    if os.geteuid() == 0
    else ()
)
UNPRIVILEGED_PORTS = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def refusal(
    database_url: str,
    *arguments: str,
    code: int = 1,
    before: Callable[[], None] | None = None,
    by: Sequence[str] = (),
    **settings: str,
) -> str:
    """The one line with which the command refuses; by default `serve` on any free port."""
    environ = environment(
        **{
            "MAPAE_ISSUER": "https://auth.example.com",
            "MAPAE_SECRET_KEY": KEY,
            "MAPAE_DATABASE_URL": database_url,
            **settings,
        }
    )
    done = subprocess.run(
        [*by, MAPAE, *(arguments or ("serve", "--port", "0"))],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=before,
        cwd="/",
    )
    assert (done.returncode, done.stdout) == (code, ""), done
    line: str
    (line,) = done.stderr.splitlines()
    assert line.startswith("mapae: ")
    assert KEY not in line
    return line


def execute(database_url: str, statement: str) -> None:
    """Run a statement as somebody else would."""

    async def run() -> None:
        database = open_database(database_url)
        async with database.writing.connect() as connection:
            await connection.execute(text(statement))
            await connection.commit()
        await database.close()

    asyncio.run(run())


class TestSettings:
    def test_all_that_is_wrong_is_said_at_once_with_the_nearest_name(self, sqlite_url: str) -> None:
        line = refusal(
            sqlite_url,
            code=2,
            MAPAE_ISSUER="http://auth.example.com",
            MAPAE_REFRESH_GRACE="99",
            MAPAE_DATABASE_ULR="sqlite:///other.db",
            MAPAE_LOG_LEVEL="loud",
        )
        assert "MAPAE_ISSUER is not https" in line
        assert "MAPAE_REFRESH_GRACE is out of range: give whole number from 0 to 60" in line
        assert "MAPAE_DATABASE_ULR is no setting: did you mean MAPAE_DATABASE_URL?" in line
        assert "MAPAE_LOG_LEVEL" in line

    def test_a_bad_secret_is_not_repeated(self, sqlite_url: str) -> None:
        line = refusal(sqlite_url, code=2, MAPAE_SECRET_KEY="hunter2hunter2")
        assert "MAPAE_SECRET_KEY" in line
        assert "hunter2" not in line

    def test_what_is_required_is_named(self) -> None:
        done = subprocess.run(
            [MAPAE, "serve"], env=environment(), capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 2
        assert "MAPAE_ISSUER is required" in done.stderr
        assert "MAPAE_SECRET_KEY is required" in done.stderr

    def test_a_database_url_with_parameters_nobody_knows_is_refused(self) -> None:
        line = refusal("postgresql://mapae:sesame@localhost/mapae?sslrootcert=ca.pem", code=2)
        assert "sslmode" in line
        assert "sesame" not in line


class TestSqlite:
    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("{}", "Is a directory"),
            ("/proc/mapae.db", "No such file or directory"),
            ("/dev/full", "cannot be used"),
            ("{}/setup.toml", "file is not a database"),
        ],
    )
    def test_a_path_that_cannot_be_a_database_is_said(self, tmp_path: Path, path: str, why: str) -> None:
        (tmp_path / "setup.toml").write_text("# no database\n" * 100)
        line = refusal(f"sqlite:///{path.format(tmp_path)}", "migrate")
        assert why in line
        assert "check MAPAE_DATABASE_URL" in line

    def test_a_full_disk_is_said_and_leaves_no_half_schema(self, empty_sqlite_url: str) -> None:
        def shrink() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

        assert "the database cannot be used" in refusal(empty_sqlite_url, "migrate", before=shrink)
        assert "schema is older" in refusal(empty_sqlite_url)

    def test_a_file_that_may_only_be_read_is_said(self, tmp_path: Path, sqlite_url: str) -> None:
        (tmp_path / "mapae.db").chmod(0o400)
        line = refusal(sqlite_url, by=AN_ORDINARY_USER)
        assert "Permission denied" in line
        assert "writable" in line

    def test_a_folder_that_may_only_be_read_is_said(self, tmp_path: Path, empty_sqlite_url: str) -> None:
        tmp_path.chmod(0o500)
        assert "Permission denied" in refusal(empty_sqlite_url, "migrate", by=AN_ORDINARY_USER)
        tmp_path.chmod(0o700)

    def test_the_file_is_made_for_its_owner_alone(self, tmp_path: Path, empty_sqlite_url: str) -> None:
        migrate(empty_sqlite_url)
        assert (tmp_path / "mapae.db").stat().st_mode & 0o777 == 0o600


class TestPostgresql:
    def test_a_server_that_is_not_there_is_said_without_its_password(self) -> None:
        line = refusal(f"postgresql://mapae:sesame@127.0.0.1:{free_port()}/mapae")
        assert "Connect call failed" in line
        assert "check MAPAE_DATABASE_URL, that it is running" in line
        assert "sesame" not in line

    def test_a_host_that_does_not_exist_is_said(self) -> None:
        assert "cannot be used" in refusal("postgresql://mapae:sesame@database.invalid/mapae")

    def test_what_postgresql_refuses_is_said_in_its_own_words(self) -> None:
        with throw_away_cluster() as cluster:
            wrong = cluster.url().replace(cluster.password, "sesame")
            assert 'password authentication failed for user "mapae"' in (line := refusal(wrong))
            assert "sesame" not in line
            assert 'database "nothing" does not exist' in refusal(cluster.url("nothing"))
            assert "rejected SSL" in refusal(f"{cluster.url()}?sslmode=require")
            execute(cluster.url(), "CREATE ROLE poor LOGIN PASSWORD 'poor'")
            poor = cluster.url().replace(f"mapae:{cluster.password}", "poor:poor")
            assert "permission denied for schema public" in refusal(poor, "migrate")

    def test_a_database_that_only_reads_is_said(self, postgresql_url: str) -> None:
        name = postgresql_url.rpartition("/")[2]
        execute(postgresql_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        assert "read-only transaction" in refusal(postgresql_url)


class TestSchema:
    def test_an_older_one_names_the_command_to_run(self, empty_database_url: str) -> None:
        assert "run: mapae migrate" in refusal(empty_database_url)
        assert "run: mapae migrate" in refusal(empty_database_url, "user", "list")
        path = empty_database_url.removeprefix("sqlite:///")
        assert not Path(path).exists(), "nothing is half-done"

    @pytest.mark.parametrize("command", [("serve", "--port", "0"), ("migrate",), ("user", "list")])
    def test_a_newer_one_asks_for_a_newer_mapae(self, database_url: str, command: tuple[str, ...]) -> None:
        execute(database_url, "UPDATE alembic_version SET version_num = 'of tomorrow'")
        assert "newer version of Mapae; upgrade Mapae" in refusal(database_url, *command)

    def test_a_newer_one_is_not_migrated_in_development_either(self, sqlite_url: str) -> None:
        execute(sqlite_url, "UPDATE alembic_version SET version_num = 'of tomorrow'")
        assert "upgrade Mapae" in refusal(sqlite_url, "serve", "--dev", "--port", "0")


class TestSecretKey:
    def test_another_one_than_the_database_was_made_with_is_refused(
        self, database_url: str, tmp_path: Path
    ) -> None:
        port = free_port()
        environ = environment(
            MAPAE_ISSUER="https://auth.example.com", MAPAE_SECRET_KEY=KEY, MAPAE_DATABASE_URL=database_url
        )
        ready = f"http://127.0.0.1:{port}/health/ready"
        with started(
            (MAPAE, "serve", "--port", str(port)), environ=environ, ready=ready, log=tmp_path / "log"
        ):
            pass  # the first start makes the signing key
        line = refusal(database_url, MAPAE_SECRET_KEY=ANOTHER_KEY)
        assert "MAPAE_SECRET_KEY does not open" in line
        assert ANOTHER_KEY not in line


class TestAddress:
    def test_a_port_in_use_names_the_option(self, sqlite_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            line = refusal(sqlite_url, "serve", "--port", str(port))
        assert f"port {port} of 127.0.0.1 is in use" in line
        assert "--port" in line

    @pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "nowhere.invalid", "::zz"])
    def test_an_address_that_is_not_ours_names_the_option(self, sqlite_url: str, host: str) -> None:
        assert "check --host" in refusal(sqlite_url, "serve", "--host", host, "--port", "0")

    @pytest.mark.skipif(
        int(UNPRIVILEGED_PORTS.read_text()) <= 80, reason="on this machine port 80 is anybody's"
    )
    def test_a_port_that_needs_more_rights_says_so(self, sqlite_url: str) -> None:
        line = refusal(sqlite_url, "serve", "--port", "80", by=AN_ORDINARY_USER)
        assert "port 80 needs more rights" in line

    def test_a_port_that_is_none_is_wrong_usage(self, sqlite_url: str) -> None:
        assert "--help" in refusal(sqlite_url, "serve", "--port", "65536", code=2)


class TestTls:
    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        """cert.pem with key.pem, and others that do not fit."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "key.pem").write_bytes(pem(key))
        (tmp_path / "another_key.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
        (tmp_path / "locked_key.pem").write_bytes(pem(key, b"sesame"))
        (tmp_path / "text.pem").write_text("no PEM at all\n")
        return tmp_path

    @pytest.mark.parametrize(
        ("certificate", "key"),
        [
            ("cert.pem", "another_key.pem"),
            ("cert.pem", "locked_key.pem"),
            ("cert.pem", "cert.pem"),
            ("key.pem", "key.pem"),
            ("text.pem", "text.pem"),
        ],
    )
    def test_files_that_do_not_make_a_certificate_with_its_key_are_refused(
        self, sqlite_url: str, files: Path, certificate: str, key: str
    ) -> None:
        line = refusal(sqlite_url, MAPAE_TLS_CERT=str(files / certificate), MAPAE_TLS_KEY=str(files / key))
        assert "MAPAE_TLS_CERT and MAPAE_TLS_KEY cannot be used" in line

    @pytest.mark.parametrize("name", ["text.pem", "key.pem"])
    def test_authorities_for_our_own_fetches_that_are_none_are_refused(
        self, sqlite_url: str, files: Path, name: str
    ) -> None:
        line = refusal(sqlite_url, MAPAE_OUTBOUND_CA_FILE=str(files / name))
        assert "MAPAE_OUTBOUND_CA_FILE cannot be used" in line

    def test_a_file_that_is_not_there_and_a_lonely_one_are_wrong_settings(
        self, sqlite_url: str, files: Path
    ) -> None:
        missing = str(files / "missing.pem")
        line = refusal(sqlite_url, code=2, MAPAE_TLS_CERT=missing, MAPAE_TLS_KEY=missing)
        assert "MAPAE_TLS_CERT does not name a file" in line
        assert "set together" in refusal(sqlite_url, code=2, MAPAE_TLS_CERT=str(files / "cert.pem"))


def pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
    )
