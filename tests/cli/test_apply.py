"""`mapae apply`: a file says what there shall be (contract section 6), on both databases."""

import asyncio
import json
from pathlib import Path

import pytest

from mapae.server.domain.users import User
from mapae.server.store.engine import open_database
from tests.cli.operating import Operator, operator_of

PASSWORD = "correct horse battery staple"
SECRET = "a secret of two servers"
SETUP = f"""
[[users]]
username = "alice"
password = "{PASSWORD}"
email = "alice@example.com"
roles = ["member"]

[[users]]
username = "bob"
password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$ojHkuzWCVsQ2CmYFNTPmvbuCC/+y5sXfRRWCTr9oDNU"

[[resource_servers]]
audience = "https://api.example.com"
scopes = ["orders:read", "orders:write"]

[[clients]]
client_id = "web"
client_secret = "{SECRET}"
redirect_uris = ["https://app.example.com/callback"]
scope = "openid orders:read"
"""


@pytest.fixture
def operator(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    return operator_of(database_url, monkeypatch, capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "setup.toml"
    path.write_text(SETUP)
    return path


def test_what_is_missing_is_added_and_applying_twice_changes_nothing(operator: Operator, file: Path) -> None:
    first = operator.run("apply", str(file)).out.splitlines()
    assert first == [
        "+ resource server https://api.example.com",
        "+ user alice",
        "+ user bob",
        "+ client web",
        "4 changed",
    ]
    second = operator.run("apply", str(file)).out.splitlines()
    assert second == [line.replace("+", "=") for line in first[:-1]] + ["0 changed"]
    assert operator.login("alice", PASSWORD).status_code == 200


def test_a_dry_run_says_the_same_and_changes_nothing(operator: Operator, file: Path) -> None:
    told = operator.run("apply", str(file), "--dry-run").out.splitlines()
    assert told[-1] == "4 to change, nothing applied"
    assert json.loads(operator.run("user", "list", "--json").out) == []
    assert told[:-1] == operator.run("apply", str(file)).out.splitlines()[:-1]


def test_a_change_names_its_members_and_leaves_the_others_alone(operator: Operator, file: Path) -> None:
    operator.run("apply", str(file))
    file.write_text(
        SETUP.replace('["member"]', '["member", "admin"]\nname = "Alice"')
        .replace("alice@", "a.lice@")
        .replace("openid orders:read", "openid")
    )
    told = operator.run("apply", str(file)).out
    assert "~ user alice: roles, email, name" in told
    assert "~ client web: scope" in told
    assert "0 changed" in operator.run("apply", str(file)).out
    users = {user["username"]: user for user in json.loads(operator.run("user", "list", "--json").out)}
    assert users["alice"]["roles"] == ["member", "admin"]
    assert users["bob"]["roles"] == []


def test_claims_are_kept_and_the_moment_of_their_last_change(
    operator: Operator, file: Path, database_url: str
) -> None:
    async def alice() -> User:
        database = open_database(database_url)
        async with database.reading() as unit:
            user = await unit.users.named("alice")
        await database.close()
        assert user is not None
        return user

    file.write_text(
        SETUP.replace('["member"]', '["member"]\nname = "Alice"\naddress = { country = "KR" }', 1)
    )
    operator.run("apply", str(file))
    first = asyncio.run(alice())
    assert first.claims == {"name": "Alice", "address": {"country": "KR"}}
    assert first.updated_at is not None
    operator.run("apply", str(file))
    assert asyncio.run(alice()) == first
    file.write_text(SETUP)
    assert "~ user alice: name, address" in operator.run("apply", str(file)).out
    assert asyncio.run(alice()).claims == {}


def test_what_the_file_does_not_name_stays(operator: Operator, file: Path) -> None:
    operator.run("apply", str(file))
    file.write_text("")
    assert operator.run("apply", str(file)).out.splitlines() == ["0 changed"]
    assert len(json.loads(operator.run("user", "list", "--json").out)) == 2


def test_the_plan_as_json(operator: Operator, file: Path) -> None:
    plan = json.loads(operator.run("apply", str(file), "--json").out)
    assert plan[1] == {"sign": "+", "kind": "user", "name": "alice", "what": []}


def test_another_password_ends_the_sessions_and_the_same_one_does_not(operator: Operator, file: Path) -> None:
    operator.run("apply", str(file))
    token = operator.login("alice", PASSWORD).json()["refresh_token"]
    operator.run("apply", str(file))
    assert operator.why_ended(token) is None
    file.write_text(SETUP.replace(PASSWORD, "another password altogether"))
    assert "~ user alice: password" in operator.run("apply", str(file)).out
    assert operator.why_ended(token) == "password_changed"
    assert operator.login("alice", PASSWORD).status_code == 401
    assert operator.login("alice", "another password altogether").status_code == 200


def test_a_client_keeps_its_secret_until_there_is_another(operator: Operator, file: Path) -> None:
    operator.run("apply", str(file))
    file.write_text(SETUP.replace(f'client_secret = "{SECRET}"\n', ""))
    assert "= client web" in operator.run("apply", str(file)).out
    file.write_text(SETUP.replace(SECRET, "another secret of theirs"))
    assert "~ client web: client_secret" in operator.run("apply", str(file)).out
    assert "= client web" in operator.run("apply", str(file)).out
    file.write_text(SETUP.replace(f'client_secret = "{SECRET}"', 'token_endpoint_auth_method = "none"'))
    told = operator.run("apply", str(file)).out
    assert "~ client web: client_secret" in told
    assert "token_endpoint_auth_method" in told
    file.write_text(SETUP.replace(f'client_secret = "{SECRET}"\n', ""))
    said = operator.run("apply", str(file), code=2)
    assert "[[clients]] number 1, client_secret is missing; nothing was applied" in said.err


def test_a_password_never_shows(operator: Operator, file: Path) -> None:
    for arguments in ([], ["--json"], ["--dry-run"]):
        said = operator.run("apply", str(file), *arguments)
        assert PASSWORD not in said.out
        assert SECRET not in said.out
    file.write_text(SETUP.replace(PASSWORD, "short"))
    said = operator.run("apply", str(file), code=2)
    assert "[[users]] number 1, password is too short" in said.err
    assert '"short"' not in said.err


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        ("[[users]", "not TOML"),
        ("[[user]]\n", "did you mean users?"),
        ('[[users]]\nusername = "carol"\npasswort = "x"\n', "did you mean password?"),
        ("[[users]]\npassword = 'correct horse'\n", "[[users]] number 3, username"),
        ('[[users]]\nusername = "ALICE"\n', "two tables have the same username"),
        ('[[users]]\nusername = "carol"\nroles = "member"\n', "roles"),
        ('[[users]]\nusername = "carol"\nemail_verified = "yes"\n', "email_verified"),
        ('[[users]]\nusername = "carol"\npassword_hash = "$2b$12$bcrypt"\n', "password_hash is not"),
        ('[[users]]\nusername = "carol"\npassword = "p" \npassword_hash = "h"\n', "[[users]] number 3"),
        (
            '[[clients]]\nclient_id = "x"\nredirect_uris = ["http://x.example/"]\n',
            "number 2, redirect_uris has",
        ),
        (
            '[[clients]]\nclient_id = "x"\ngrant_types = []\n',
            "[[clients]] number 2, client_secret is missing",
        ),
        (
            '[[clients]]\nclient_id = "x"\ngrant_types = []\nclient_secret_hash = "$2b$12$bcrypt"\n',
            "[[clients]] number 2, client_secret_hash is not",
        ),
        ('[[resource_servers]]\naudience = "api"\nscopes = []\n', "[[resource_servers]] number 2, audience"),
        ('[[resource_servers]]\naudience = "https://x.example"\nscopes = ["a b"]\n', "scopes"),
    ],
)
def test_a_mistake_names_file_table_and_key_and_nothing_is_applied(
    operator: Operator, file: Path, mistake: str, named: str
) -> None:
    file.write_text(SETUP + mistake)
    said = operator.run("apply", str(file), code=2)
    assert str(file) in said.err
    assert named in said.err
    assert said.err.rstrip().endswith("nothing was applied")
    assert json.loads(operator.run("user", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("name", "why"), [("missing.toml", "No such file"), (".", "Is a directory"), ("binary.toml", "not TOML")]
)
def test_a_file_that_cannot_be_read_is_said(operator: Operator, tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    said = operator.run("apply", str(tmp_path / name), code=2)
    assert why in said.err
    assert "nothing was applied" in said.err
