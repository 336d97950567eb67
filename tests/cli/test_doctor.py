"""`mapae doctor`: each check finds what it is for, and leaves everything as it was."""

import json
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from mapae.cli.doctor.finding import Finding, Verdict
from mapae.cli.doctor.issuer import certificate_finding, issuer_findings
from mapae.cli.doctor.store import store_findings
from mapae.client.records import SignIn, Tokens, dump
from mapae.clock import system_clock
from mapae.secret import Secret
from mapae.testing.serve import serve
from tests.cli.command import MAIN, Shell
from tests.cli.operating import Operator, operator_of
from tests.client.certificates import self_signed
from tests.client.wire import Reply, auth_server, serving

NOW = 1_800_000_000
DAY = 86_400


def told(findings: list[Finding], verdict: Verdict) -> list[str]:
    return [f"{found.about}: {found.text}" for found in findings if found.verdict is verdict]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The file of a live session, alone in its directory."""
    directory = tmp_path / "home"
    directory.mkdir(mode=0o700)
    file = directory / "auth.example.com-0123456789ab.json"
    tokens = Tokens(Secret("a"), NOW + 60, 300, 0, Secret("mpr_r"), NOW + 30 * DAY, "sid", "")
    write(file, dump(SignIn("https://auth.example.com", "alice", Secret("i"), tokens)))
    return file


def write(file: Path, content: bytes = b"x", mode: int = 0o600) -> None:
    file.write_bytes(content)
    file.chmod(mode)
    os.utime(file, (NOW, NOW))


def test_a_sound_store_is_praised_and_left_as_it_was(kept: Path) -> None:
    write(kept.with_name("current"))
    before = {path: path.read_bytes() for path in kept.parent.iterdir()}
    findings = list(store_findings(kept.parent, NOW))

    assert {found.verdict for found in findings} == {Verdict.OK}
    texts = " ".join(found.text for found in findings)
    assert "can be written" in texts
    assert "locks work" in texts
    assert "alice at https://auth.example.com: the session has 30 days left" in texts
    assert {path: path.read_bytes() for path in kept.parent.iterdir()} == before


def test_no_store_is_no_mistake_and_none_is_made(tmp_path: Path) -> None:
    (finding,) = store_findings(tmp_path / "home", NOW)

    assert finding.verdict is Verdict.OK
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("spoil", "verdict", "text"),
    [
        (lambda file: file.chmod(0o640), Verdict.FAIL, "chmod 600"),
        (lambda file: file.parent.chmod(0o770), Verdict.FAIL, "chmod 700"),
        (lambda file: write(file, b"{"), Verdict.FAIL, "damaged"),
        (lambda file: write(file, b'{"format": 9}'), Verdict.FAIL, "newer mapae"),
        (lambda file: write(file.with_name("current"), mode=0o644), Verdict.FAIL, "chmod 600"),
        (lambda file: file.with_name("current").symlink_to(file), Verdict.FAIL, "symbolic link"),
        (lambda file: write(file.with_suffix(".damaged-1")), Verdict.WARN, "set aside"),
        (lambda file: write(file.with_name(".x.json.0123")), Verdict.WARN, "a process that died"),
        (
            lambda file: write(file, dump(SignIn("https://a.example", "bob", Secret("i"), None, "idle"))),
            Verdict.WARN,
            "run: mapae login https://a.example",
        ),
    ],
)
def test_what_is_wrong_with_the_store_is_said_with_what_to_do(
    kept: Path, spoil: Callable[[Path], object], verdict: Verdict, text: str
) -> None:
    spoil(kept)
    before = sorted(kept.parent.iterdir())
    (said,) = told(list(store_findings(kept.parent, NOW + 120)), verdict)

    assert text in said
    assert sorted(kept.parent.iterdir()) == before


def test_a_file_that_is_being_written_is_not_suspect(kept: Path) -> None:
    write(kept.with_name(".x.json.0123"))

    assert told(list(store_findings(kept.parent, NOW + 59)), Verdict.WARN) == []


@pytest.mark.parametrize("left", [-1, 0])
def test_a_session_at_its_absolute_end_is_over(kept: Path, left: int) -> None:
    (said,) = told(list(store_findings(kept.parent, NOW + 30 * DAY - left)), Verdict.WARN)

    assert "the session is over" in said


def test_a_sound_server_is_praised() -> None:
    with serve(audience="https://api.example.com") as issuer:
        findings = list(issuer_findings(issuer.issuer, system_clock()))

    assert [found.verdict for found in findings] == [Verdict.OK] * 3
    assert "1 key to check tokens with" in findings[-1].text


@pytest.mark.parametrize(("off", "text"), [(150, "2 min ahead of"), (-3650, "60 min behind")])
def test_clocks_that_differ_are_told_apart(off: int, text: str) -> None:
    with serving(lambda _: Reply(404, b"")) as url:
        (said,) = told(list(issuer_findings(url, system_clock() + off)), Verdict.WARN)

    assert text in said


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ({"issuer": "https://other.example"}, "of another issuer"),
        ({}, "of another issuer"),
        (None, "answered 404"),
    ],
)
def test_discovery_that_apis_cannot_use_fails(metadata: dict[str, str] | None, text: str) -> None:
    reply = Reply(404, b"") if metadata is None else Reply(200, json.dumps(metadata).encode())
    with serving(lambda _: reply) as url:
        (said,) = told(list(issuer_findings(url, system_clock())), Verdict.FAIL)

    assert text in said


def test_a_server_that_is_away_is_one_finding() -> None:
    with serving(lambda _: Reply(404)) as url:
        pass
    (finding,) = issuer_findings(url, NOW)

    assert (finding.verdict, finding.exit_code) == (Verdict.FAIL, 4)


def test_a_certificate_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(lambda _: Reply(404, b""), tls=context) as url:
        (untrusted,) = issuer_findings(url, system_clock())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        findings = list(issuer_findings(url, system_clock()))

    assert "not trusted: self-signed certificate" in untrusted.text
    assert "the certificate ends in 59 min" in findings[1].text


@pytest.mark.parametrize(
    ("life", "left", "verdict"),
    [
        (90 * DAY, 14 * DAY, Verdict.OK),
        (90 * DAY, 14 * DAY - 1, Verdict.WARN),
        (6 * DAY, 2 * DAY, Verdict.OK),
        (6 * DAY, 2 * DAY - 1, Verdict.WARN),
        (90 * DAY, 1, Verdict.WARN),
        (90 * DAY, 0, Verdict.FAIL),
        (90 * DAY, 90 * DAY, Verdict.OK),
        (90 * DAY, 90 * DAY + 1, Verdict.FAIL),
    ],
)
def test_a_certificate_is_due_before_it_ends(life: int, left: int, verdict: Verdict) -> None:
    assert certificate_finding("x", NOW + left - life, NOW + left, NOW).verdict is verdict


def test_the_first_failure_decides_on_the_exit_code(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    assert shell.run("doctor").code == 0
    with auth_server() as server:
        shell.login(server.url)
    (file,) = shell.home.glob("*.json")

    away = shell.run("doctor")
    assert (away.code, away.err) == (4, "mapae: 1 of 4 checks failed; each says what to do\n")
    assert away.out.splitlines()[-1].startswith(f"fail  {server.url}: cannot be reached")
    file.chmod(0o644)
    listed = shell.run("doctor", "--json")
    assert listed.code == 5
    assert [found["verdict"] for found in json.loads(listed.out)] == ["ok", "ok", "fail"]


def test_a_disk_that_takes_no_more_fails(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with auth_server() as server:
        shell.login(server.url)
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); {MAIN}"
    ran = shell.python(full, "doctor")

    assert ran.code == 5
    assert f"fail  {shell.home}: cannot be written: " in ran.out
    assert list(shell.home.glob(".doctor*")) == []


def test_lines_are_broken_between_words_at_a_terminal(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home", {"MAPAE_TOKEN": "a.b.c", "COLUMNS": "40", "NO_COLOR": "1"})
    lines = shell.terminal("doctor").out.splitlines()

    begins = lines.index("warn  MAPAE_TOKEN: is set, and used in")
    assert lines[begins + 1] == "      place of every stored session; to"


def test_a_token_of_the_environment_is_pointed_out(tmp_path: Path) -> None:
    ran = Shell(tmp_path / "home").run("doctor", MAPAE_TOKEN="a.b.c")

    assert ran.code == 0
    assert "warn  MAPAE_TOKEN: " in ran.out
    assert "a.b.c" not in ran.out


@pytest.fixture
def operator(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """An operator on a machine where nobody is signed in."""
    monkeypatch.chdir(tmp_path)
    operator = operator_of(sqlite_url, monkeypatch, capsys)
    operator.environ["MAPAE_HOME"] = str(tmp_path / "home")
    return operator


def test_an_operator_learns_of_settings_database_and_certificate(operator: Operator, tmp_path: Path) -> None:
    operator.run("key", "rotate")
    certificate = str(self_signed(tmp_path))
    operator.environ.update(MAPAE_TLS_CERT=certificate, MAPAE_TLS_KEY=certificate)
    with serve(audience="https://api.example.com") as issuer:
        operator.environ["MAPAE_ISSUER"] = issuer.issuer
        said = operator.run("doctor").out

    assert said.count("\nok ") == 6
    assert f"settings: are complete, for {issuer.issuer}" in said
    assert "1 key that MAPAE_SECRET_KEY opens" in said
    assert "MAPAE_TLS_CERT: the certificate ends in 59 min" in said


@pytest.mark.parametrize(
    ("variables", "code", "text"),
    [
        ({"MAPAE_ISUER": "x"}, 2, "did you mean MAPAE_ISSUER"),
        ({"MAPAE_DATABASE_URL": "sqlite:////nowhere/mapae.db"}, 1, "run: mapae migrate"),
        (
            {"MAPAE_SECRET_KEY": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA"},
            1,
            "MAPAE_SECRET_KEY does not open",
        ),
    ],
)
def test_what_keeps_a_server_from_starting_fails(
    operator: Operator, variables: dict[str, str], code: int, text: str
) -> None:
    operator.run("key", "rotate")
    with serve(audience="https://api.example.com") as issuer:
        operator.environ.update({"MAPAE_ISSUER": issuer.issuer, **variables})
        said = operator.run("doctor", code=code)

    assert [text in line for line in said.out.splitlines() if line.startswith("fail")] == [True]
