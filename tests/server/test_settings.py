"""Settings: where they come from, what is refused, and that no refusal tells a secret."""

import stat
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from mapae.jose import base64url
from mapae.server.settings import Settings, SettingsError, describe, load_settings, load_with_sources

KEY = base64url.encode(bytes(range(32)))
GOOD = {"MAPAE_ISSUER": "https://auth.example.com", "MAPAE_SECRET_KEY": KEY}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems_of(environ: dict[str, str], **options: bool) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, **options)  # type: ignore[arg-type]  # only `dev` is passed
    return caught.value.problems


def test_defaults_are_those_of_the_contract() -> None:
    settings = load_settings(GOOD)
    assert settings.access_token_life == 300
    assert (settings.session_life, settings.session_idle) == (2592000, 604800)
    assert settings.refresh_grace == 10
    assert settings.database_url.reveal() == "sqlite:///var/mapae.db"
    assert (settings.trusted_proxies, settings.outbound_allow) == ((), ())
    assert (settings.tls_cert, settings.tls_key, settings.outbound_ca_file) == (None, None, None)
    assert (settings.dev, settings.metrics, settings.log_format) == (False, False, "json")
    assert settings.hashing_threads >= 1


def test_development_needs_nothing_and_keeps_its_key(tmp_path: Path) -> None:
    first, second = load_settings({}, dev=True), load_settings({"MAPAE_DEV": "1"})
    assert first.issuer == "http://localhost:8000"
    assert first.log_format == "human"
    assert first.secret_key == second.secret_key
    kept = tmp_path / "var" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_a_development_key_that_was_damaged_is_refused_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret_key").write_text("short")
    (problem,) = problems_of({}, dev=True)
    assert problem.startswith("MAPAE_SECRET_KEY (from var/secret_key)")
    assert (tmp_path / "var" / "secret_key").read_text() == "short"


def test_the_variable_wins_over_the_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / "mapae.toml").write_text(
        "access_token_life = 60\nrefresh_grace = 5\ntrusted_proxies = ['10.0.0.0/8']\n"
    )
    settings, sources = load_with_sources({**GOOD, "MAPAE_REFRESH_GRACE": "7"})
    assert (settings.access_token_life, settings.refresh_grace) == (60, 7)
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"),)
    assert sources["access_token_life"] == "mapae.toml"
    assert sources["refresh_grace"] == "MAPAE_REFRESH_GRACE"
    assert sources["session_life"] == "default"


def test_a_value_file_loses_one_newline_only(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    environ = {"MAPAE_ISSUER": GOOD["MAPAE_ISSUER"], "MAPAE_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert load_settings(environ).secret_key.reveal() == KEY
    (tmp_path / "key").write_text(KEY + "\n\n")
    assert len(problems_of(environ)) == 1


def test_a_value_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    (problem,) = problems_of({**GOOD, "MAPAE_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert "MAPAE_SECRET_KEY and MAPAE_SECRET_KEY_FILE are both set" in problem


def test_a_setting_whose_own_name_ends_in_file_is_not_a_value_file(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.write_text("any")
    assert load_settings({**GOOD, "MAPAE_OUTBOUND_CA_FILE": str(authorities)}).outbound_ca_file == authorities


def test_config_names_the_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("drain = 3\n")
    assert load_settings({**GOOD, "MAPAE_CONFIG": "other.toml"}).drain == 3
    assert load_settings(GOOD, toml_path=tmp_path / "other.toml").drain == 3
    (problem,) = problems_of({**GOOD, "MAPAE_CONFIG": "missing.toml"})
    assert problem.startswith("missing.toml cannot be read")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "mapae.toml").write_text("drain = \n")
    environ = {"MAPAE_ISSUER_FILE": "missing", "MAPAE_SECRET_KEY_FILE": str(tmp_path)}
    toml, issuer, key = problems_of(environ)
    assert toml.startswith("mapae.toml is not TOML: ")
    assert issuer == "MAPAE_ISSUER_FILE does not name a text file this process can read: correct the path."
    assert key.startswith("MAPAE_SECRET_KEY_FILE does not name")


def test_a_folder_that_cannot_hold_the_development_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    (problem,) = problems_of({}, dev=True)
    assert problem.startswith("var/secret_key cannot be made or read")


@pytest.mark.parametrize(
    "line", ["trusted_proxies = 1", "trusted_proxies = [1]", "issuer = 1", "log_level = 1"]
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "mapae.toml").write_text(line)
    (problem,) = problems_of({"MAPAE_SECRET_KEY": KEY} if line.startswith("issuer") else GOOD)
    assert problem.startswith(f"MAPAE_{line.split(maxsplit=1)[0].upper()} (from mapae.toml)")


def test_unknown_names_are_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    (tmp_path / "mapae.toml").write_text("refresh_grase = 5\n[server]\nport = 1\n")
    found = problems_of({**GOOD, "MAPAE_ACCESS_TOKEN_LIFETIME": "60"})
    assert found == (
        "mapae.toml: there is no setting refresh_grase: did you mean refresh_grace?",
        "mapae.toml: there is no setting server: remove it.",
        "MAPAE_ACCESS_TOKEN_LIFETIME is no setting: did you mean MAPAE_ACCESS_TOKEN_LIFE?",
    )


def test_names_of_the_client_and_of_others_are_left_alone() -> None:
    environ = {**GOOD, "MAPAE_TOKEN": "x", "MAPAE_HOME": "y", "MAPAE_PROFILE": "z", "PATH": "/bin"}
    assert load_settings(environ) == load_settings(GOOD)


def test_every_problem_is_told_at_once() -> None:
    found = problems_of({"MAPAE_ACCESS_TOKEN_LIFE": "0", "MAPAE_LOG_LEVEL": "loud", "MAPAE_METRICS": "maybe"})
    assert found == (
        "MAPAE_ISSUER is required: give https URL without query, fragment or final slash; "
        "http for this machine only.",
        "MAPAE_SECRET_KEY is required: give 32 random bytes or more in base64url without padding.",
        "MAPAE_ACCESS_TOKEN_LIFE is out of range: give whole number from 1 to 3600.",
        "MAPAE_LOG_LEVEL is out of range: give debug or info or warning or error.",
        "MAPAE_METRICS is neither true nor false: give true or false.",
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAPAE_ISSUER", "http://auth.example.com"),
        ("MAPAE_ISSUER", "https://auth.example.com/"),
        ("MAPAE_ISSUER", "https://auth.example.com?tenant=1"),
        ("MAPAE_ISSUER", "https://auth.example.com#top"),
        ("MAPAE_ISSUER", "https://Auth.example.com"),
        ("MAPAE_ISSUER", "https://user@auth.example.com"),
        ("MAPAE_ISSUER", "https://auth.example.com:99999"),
        ("MAPAE_ISSUER", "https://[::1"),
        ("MAPAE_ISSUER", "https://"),
        ("MAPAE_ISSUER", "auth.example.com"),
        ("MAPAE_ISSUER", "https://auth.example.com/a b"),
        ("MAPAE_DATABASE_URL", "sqlite://"),
        ("MAPAE_DATABASE_URL", "sqlite:///:memory:"),
        ("MAPAE_DATABASE_URL", "sqlite:///var/"),
        ("MAPAE_DATABASE_URL", "postgres://u:p@host/db"),
        ("MAPAE_DATABASE_URL", "postgresql://u:p@host"),
        ("MAPAE_DATABASE_URL", "postgresql://u:p@host:port/db"),
        ("MAPAE_DATABASE_URL", "postgresql://u:12/3@host/db"),
        ("MAPAE_DATABASE_URL", "mysql://u:p@host/db"),
        ("MAPAE_SECRET_KEY", base64url.encode(bytes(31))),
        ("MAPAE_SECRET_KEY", KEY + "="),
        ("MAPAE_SECRET_KEY", KEY[:-1] + "9"),
        ("MAPAE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("MAPAE_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("MAPAE_TRUSTED_PROXIES", "proxy.example.com"),
        ("MAPAE_OUTBOUND_ALLOW", "10.0.0.0/33"),
        ("MAPAE_ACCESS_TOKEN_LIFE", "3601"),
        ("MAPAE_ACCESS_TOKEN_LIFE", "-1"),
        ("MAPAE_ACCESS_TOKEN_LIFE", "300.0"),
        ("MAPAE_ACCESS_TOKEN_LIFE", "٣٠٠"),
        ("MAPAE_ACCESS_TOKEN_LIFE", "9" * 5000),
        ("MAPAE_ACCESS_TOKEN_LIFE", ""),
        ("MAPAE_SESSION_IDLE", "2592001"),
        ("MAPAE_TLS_CERT", "missing.pem"),
        ("MAPAE_ARGON2_MEMORY_KIB", "4096"),
        ("MAPAE_ARGON2_TIME_COST", "1"),
        ("MAPAE_ARGON2_MEMORY_KIB", "8"),
        ("MAPAE_DEV", "yes"),
    ],
)
def test_one_bad_value_is_one_problem_that_names_its_variable(variable: str, value: str) -> None:
    (problem,) = problems_of({**GOOD, variable: value})
    blamed = "MAPAE_ARGON2_MEMORY_KIB" if "ARGON2" in variable else variable
    assert problem.startswith(blamed)


@pytest.mark.parametrize(
    "value",
    [
        "https://auth.example.com/tenant",
        "https://auth.example.com:8443",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_issuers_that_suit(value: str) -> None:
    assert load_settings({**GOOD, "MAPAE_ISSUER": value}).issuer == value


@pytest.mark.parametrize(
    "value", ["sqlite:///a.db", "sqlite:////srv/a.db", "postgresql://u:p@[::1]:5432/db?sslmode=require"]
)
def test_databases_that_suit(value: str) -> None:
    assert load_settings({**GOOD, "MAPAE_DATABASE_URL": value}).database_url.reveal() == value


def test_lists_take_names_addresses_and_networks() -> None:
    environ = {**GOOD, "MAPAE_OUTBOUND_ALLOW": "Intranet.example.com, 10.1.2.3,fd00::/8"}
    assert load_settings(environ).outbound_allow == (
        "intranet.example.com",
        ip_network("10.1.2.3/32"),
        ip_network("fd00::/8"),
    )


def test_a_truth_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "mapae.toml").write_text("access_token_life = true\n")
    (problem,) = problems_of(GOOD)
    assert problem.startswith("MAPAE_ACCESS_TOKEN_LIFE (from mapae.toml)")


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("any")
    (problem,) = problems_of({**GOOD, "MAPAE_TLS_CERT": "cert.pem"})
    assert "MAPAE_TLS_KEY and MAPAE_TLS_CERT are set together" in problem


def test_a_module_without_its_pin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.so").write_text("any")
    module = {**GOOD, "MAPAE_PKCS11_MODULE": "library.so", "MAPAE_PKCS11_TOKEN": "mapae"}
    (problem,) = problems_of(module)
    assert "MAPAE_PKCS11_PIN goes with MAPAE_PKCS11_MODULE" in problem
    assert load_settings({**module, "MAPAE_PKCS11_PIN": "1234"}).pkcs11_token == "mapae"


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"MAPAE_KEY_ROTATION": "420"}, False),
        ({"MAPAE_KEY_ROTATION": "419"}, True),
        ({"MAPAE_KEY_ROTATION": "440", "MAPAE_ACCESS_TOKEN_LIFE": "3520"}, False),
        ({"MAPAE_KEY_ROTATION": "440", "MAPAE_ACCESS_TOKEN_LIFE": "3521"}, True),
    ],
)
def test_keys_change_so_seldom_that_each_is_published_before_it_signs(
    changed: dict[str, str], refused: bool
) -> None:
    if refused:
        (problem,) = problems_of({**GOOD, **changed})
        assert problem.startswith("MAPAE_KEY_ROTATION")
    else:
        assert load_settings({**GOOD, **changed}).key_rotation == int(changed["MAPAE_KEY_ROTATION"])


def test_former_secret_keys_are_a_list_of_good_ones() -> None:
    other = base64url.encode(b"o" * 32)
    former = load_settings({**GOOD, "MAPAE_SECRET_KEY_OLD": f"{other}, {KEY}"}).secret_key_old
    assert [one.reveal() for one in former] == [other, KEY]
    (problem,) = problems_of({**GOOD, "MAPAE_SECRET_KEY_OLD": f"{other},short"})
    assert problem.startswith("MAPAE_SECRET_KEY_OLD")
    assert other not in problem


def test_a_short_session_shortens_the_default_idle_end() -> None:
    assert load_settings({**GOOD, "MAPAE_SESSION_LIFE": "60"}).session_idle == 60


def test_cheap_hashing_is_for_development_only() -> None:
    cheap = {"MAPAE_ARGON2_MEMORY_KIB": "64", "MAPAE_ARGON2_TIME_COST": "1"}
    assert load_settings({**GOOD, **cheap}, dev=True).argon2_memory_kib == 64
    assert len(problems_of({**GOOD, **cheap})) == 1
    many_lanes = {**GOOD, **cheap, "MAPAE_ARGON2_PARALLELISM": "9"}
    assert len(problems_of(many_lanes, dev=True)) == 1


@pytest.mark.parametrize("show", [str, repr])
def test_nothing_that_is_printed_tells_a_secret(show: Callable[[object], str]) -> None:
    secret = "hunter2-hunter2"
    environ = {
        **GOOD,
        "MAPAE_DATABASE_URL": f"postgresql://u:{secret}@host:bad/db",
        "MAPAE_SECRET_KEY": secret,
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert len(caught.value.problems) == 2
    assert secret not in show(caught.value)
    settings = load_settings({**GOOD, "MAPAE_DATABASE_URL": f"postgresql://u:{secret}@host/db"})
    assert secret not in show(settings)
    assert KEY not in show(settings)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(GOOD).drain = 1


def test_every_setting_is_described() -> None:
    rows = describe()
    assert [row.name for row in rows] == list(Settings.model_fields)
    assert all(row.text.endswith(".") and row.expects and row.default for row in rows)
    defaults = {row.name: row.default for row in rows}
    assert defaults["argon2_parallelism"] == "1"
    assert defaults["metrics"] == "false"
    assert defaults["tls_cert"] == "unset"
