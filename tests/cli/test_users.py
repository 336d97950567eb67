"""`mapae user`: what an operator does with users, on both databases."""

import json

import pytest

from tests.cli.operating import Operator, operator_of

PASSWORD = "correct horse battery staple"


@pytest.fixture
def operator(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    return operator_of(database_url, monkeypatch, capsys)


@pytest.fixture
def alice(operator: Operator) -> str:
    """A user and the id she got."""
    said = operator.run(
        "user", "create", "alice", "--role", "member", "--role", "admin", "--password-stdin",
        stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    return said.out.split("(")[1].rstrip(")\n")


def test_a_user_who_was_created_signs_in(operator: Operator, alice: str) -> None:
    tokens = operator.login("alice", PASSWORD)
    assert tokens.status_code == 200
    (listed,) = json.loads(operator.run("user", "list", "--json").out)
    assert (listed["id"], listed["username"], listed["roles"]) == (alice, "alice", ["member", "admin"])
    assert listed["disabled"] is False


def test_a_list_for_programs_has_a_user_a_line_and_tabs_between(operator: Operator, alice: str) -> None:
    (line,) = operator.run("user", "list").out.splitlines()
    assert line.split("\t")[0] == "alice"
    assert alice in line.split("\t")


def test_a_disabled_user_is_out_at_once_and_back_when_enabled(operator: Operator, alice: str) -> None:
    token = operator.login("alice", PASSWORD).json()["refresh_token"]
    assert operator.run("user", "disable", "alice").out == "disabled alice; 1 session ended\n"
    assert operator.why_ended(token) == "user_disabled"
    assert operator.login("alice", PASSWORD).json()["code"] == "user_disabled"
    assert operator.run("user", "disable", "alice").out == "disabled alice; 0 sessions ended\n"
    operator.run("user", "enable", "alice")
    assert operator.login("alice", PASSWORD).status_code == 200
    assert operator.why_ended(token) == "user_disabled"


def test_another_password_ends_the_sessions(operator: Operator, alice: str) -> None:
    token = operator.login("alice", PASSWORD).json()["refresh_token"]
    said = operator.run("user", "password", "ALICE", "--password-stdin", stdin="another one entirely\n")
    assert "1 session ended" in said.out
    assert operator.why_ended(token) == "password_changed"
    assert operator.login("alice", PASSWORD).status_code == 401
    assert operator.login("alice", "another one entirely").status_code == 200


def test_the_live_sessions_of_a_user(operator: Operator, alice: str) -> None:
    tokens = operator.login("alice", PASSWORD).json()
    (session,) = json.loads(operator.run("user", "sessions", "alice", "--json").out)
    assert session["id"] == tokens["session_id"]
    assert (session["device_name"], session["address"]) == ("a phone", "192.0.2.7")
    assert tokens["session_id"] in operator.run("user", "sessions", "alice").out
    assert tokens["refresh_token"] not in operator.run("user", "sessions", "alice", "--json").out


@pytest.mark.parametrize("verb", ["disable", "enable", "password", "sessions"])
def test_a_user_who_does_not_exist_is_said(operator: Operator, verb: str) -> None:
    options = ["--password-stdin"] if verb == "password" else []
    said = operator.run("user", verb, "nobody", *options, stdin=f"{PASSWORD}\n", code=1)
    assert "there is no user of that name; see: mapae user list" in said.err


@pytest.mark.parametrize("name", ["alice", "ALICE", "ａｌｉｃｅ"])
def test_a_name_that_looks_the_same_is_taken(operator: Operator, alice: str, name: str) -> None:
    said = operator.run("user", "create", name, "--password-stdin", stdin=f"{PASSWORD}\n", code=1)
    assert "there is a user of that name" in said.err
    assert len(json.loads(operator.run("user", "list", "--json").out)) == 1


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("", PASSWORD, "user name is empty"),
        ("with space", PASSWORD, "user name is forbidden character"),
        ("a" * 256, PASSWORD, "user name is too long"),
        ("carol", "", "password is empty"),
        ("carol", "seven77", "password is too short"),
        ("carol", "x" * 1025, "password is too long"),
        ("carol", "with\x07a bell", "password is forbidden character"),
    ],
)
def test_a_name_or_password_nobody_can_have_is_refused(
    operator: Operator, name: str, password: str, why: str
) -> None:
    said = operator.run("user", "create", name, "--password-stdin", stdin=f"{password}\n", code=2)
    assert why in said.err
    assert not password or password not in said.err
    assert json.loads(operator.run("user", "list", "--json").out) == []
