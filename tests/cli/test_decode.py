"""The anatomy of a token, with a fixed clock; and `mapae decode` as a process."""

import json
from pathlib import Path
from typing import Any

import pytest

from mapae.cli.anatomy import dissect
from mapae.cli.moments import local, seen_from, span
from mapae.cli.output import printable
from mapae.jose import base64url, strict_json
from mapae.jose.errors import JoseError
from tests.cli.command import Shell

NOW = 1_800_000_000
CLAIMS: dict[str, Any] = {
    "iss": "https://auth.example.com",
    "sub": "AbCdEfGhIjKl",
    "aud": "https://api.example.com",
    "iat": NOW - 60,
    "exp": NOW + 240,
    "scope": "orders:read",
}


def token(
    claims: dict[str, Any] | None = None, *, alg: object = "ES256", signature: bytes = b"s" * 64
) -> str:
    header = strict_json.dump({"alg": alg, "typ": "at+jwt", "kid": "L3LbgjvU"})
    payload = strict_json.dump(CLAIMS if claims is None else claims)
    return ".".join(map(base64url.encode, (header, payload, signature)))


@pytest.mark.parametrize(
    "claims", [CLAIMS, {}, {"sub": "ü"}, {**CLAIMS, "roles": ["a", "b"], "cnf": {"jkt": "x"}}]
)
def test_what_the_claims_cost_adds_up(claims: dict[str, Any]) -> None:
    text = token(claims)
    anatomy = dissect(text, NOW)

    assert anatomy.size == len(text) == anatomy.header_size + anatomy.claims_size + anatomy.signature_size + 2
    # Two bytes for the opening brace; the closing one takes the place of the last comma.
    assert not claims or sum(member.size for member in anatomy.claims) == anatomy.claims_size - 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "x"),
        (["a", "b"], "a, b"),
        ([], "[]"),
        ([1], "[1]"),
        ({"jkt": "ü"}, '{"jkt": "ü"}'),
        (True, "true"),
        (None, "null"),
    ],
)
def test_a_value_is_told_in_words(value: object, shown: str) -> None:
    (member,) = dissect(token({"x": value}), NOW).claims

    assert (member.value, member.shown) == (value, shown)


def test_moments_are_told_in_words() -> None:
    claims = {member.name: member for member in dissect(token({**CLAIMS, "nbf": "soon"}), NOW).claims}

    assert claims["exp"].meaning == "ends"
    assert claims["exp"].shown == f"in 4 min, {local(NOW + 240)}"
    assert claims["iat"].shown == f"60 s ago, {local(NOW - 60)}"
    assert claims["nbf"].shown == "soon"
    assert (claims["sub"].shown, claims["sub"].meaning) == (CLAIMS["sub"], "whom it is about")


@pytest.mark.parametrize(
    ("end", "ends"),
    [
        (NOW + 240, "ends in 4 min"),
        (NOW, "ended 0 s ago"),
        (NOW - 7200, "ended 2 h ago"),
        (None, "never ends"),
        ("soon", "never ends"),
    ],
)
def test_the_end_is_told_first(end: object, ends: str) -> None:
    claims = {**CLAIMS, "exp": end} if end is not None else {"sub": "x"}

    assert dissect(token(claims), NOW).ends == ends


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (token({**CLAIMS, "email": "alice@example.com"}), "personal data (email)"),
        (token({**CLAIMS, "login": "alice@example.com", "name": "Alice"}), "personal data (login, name)"),
        (token({"sub": "x"}), "no end"),
        (token({**CLAIMS, "exp": True}), "no end"),
        (token({**CLAIMS, "exp": NOW + 86_400 * 30}), "lives 30 days"),
        (token(alg="none", signature=b""), "not signed"),
        (token(signature=b""), "not signed"),
        (token(alg="HS256"), "symmetric"),
        (token(alg="XX256"), "unknown or weak"),
        (token(alg=None), "unknown or weak"),
    ],
)
def test_what_speaks_against_a_token_is_said(text: str, warning: str) -> None:
    (said,) = dissect(text, NOW).warnings

    assert warning in said


def test_nothing_is_said_against_a_good_token() -> None:
    assert dissect(token(), NOW).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "..",
        "e30.e30",
        "a.b.c.d",
        "e30.e30.e30.e30.e30",
        "e30=.e30.",
        "e30.W10.",
        f"{'A' * 5}.e30.",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(JoseError):
        dissect(text, NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_800, "2 days"),
        (1e9, "31 years"),
    ],
)
def test_a_span_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_moment_is_ahead_or_past() -> None:
    assert seen_from(NOW, NOW + 300) == "in 5 min"
    assert seen_from(NOW, NOW - 300) == "5 min ago"


@pytest.mark.parametrize("moment", [1e300, -1e300, float("inf")])
def test_a_moment_beyond_the_calendar_is_no_crash(moment: float) -> None:
    assert local(moment) == "beyond the calendar"


def test_nothing_in_a_token_can_command_the_terminal() -> None:
    assert printable("\x1b[2J\x9b31m\u202eevil\nü") == "\\x1b[2J\\x9b31m\\u202eevil\\nü"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user who never signed in anywhere."""
    return Shell(tmp_path / "home")


def test_a_token_is_read_from_an_argument_or_from_standard_input(shell: Shell) -> None:
    text = token()
    by_argument = shell.run("decode", text)
    by_stdin = shell.run("decode", stdin=f"Bearer {text}\n")
    by_dash = shell.run("decode", "-", stdin=f"authorization: bearer {text[:40]}\n  {text[40:]}")

    assert by_argument.code == 0
    assert "https://api.example.com" in by_argument.out
    assert by_argument.out == by_stdin.out == by_dash.out


def test_without_a_token_the_one_in_use_is_shown(shell: Shell) -> None:
    text = token()

    assert shell.run("decode", MAPAE_TOKEN=text).out == shell.run("decode", text).out


def test_json_holds_everything(shell: Shell) -> None:
    shown = json.loads(shell.run("decode", "--json", token()).out)

    assert shown["claims"] == CLAIMS
    assert shown["header"]["alg"] == "ES256"
    assert shown["bytes"]["total"] == len(token())
    assert set(shown["bytes"]["each_claim"]) == set(CLAIMS)
    assert shown["signature_checked"] is False
    assert shown["readable_by"] == "everybody who holds it"


@pytest.mark.parametrize("columns", [40, 80])
def test_a_drawing_stays_within_the_terminal(shell: Shell, columns: int) -> None:
    scope = " ".join(f"orders:{number}" for number in range(40))
    text = token({**CLAIMS, "scope": scope})
    shell.variables |= {"COLUMNS": str(columns), "NO_COLOR": "1"}
    _, _, claims = shell.terminal("decode", text).out.split("\n\n", 2)

    assert max(map(len, claims.splitlines())) <= columns
    assert ("MEANING" in claims) == (columns == 80)
    assert all(word in claims for word in scope.split())


def test_no_control_character_of_a_token_reaches_the_screen(shell: Shell) -> None:
    ran = shell.run("decode", token({**CLAIMS, "\x1b[31mname": "\x1b]0;title\x07\u202e"}))

    assert ran.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)
