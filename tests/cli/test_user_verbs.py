"""The user's half of the command line, each verb in a process of its own against a server on a socket."""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapae.cli.verbs import VERBS
from tests.cli.command import Shell
from tests.client.wire import AuthServer, Reply, auth_server

#: Runs before the command; at exit every imported module stands on stderr.
TELL_IMPORTS = (
    "import atexit, sys; from mapae.cli.main import main; "
    "atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user who never signed in anywhere."""
    return Shell(tmp_path / "home")


@pytest.fixture
def server() -> Iterator[AuthServer]:
    """Where alice may sign in."""
    with auth_server() as server:
        yield server


def test_sign_in_use_and_sign_out(shell: Shell, server: AuthServer) -> None:
    login = shell.login(server.url)
    assert (login.code, login.err) == (0, "")
    assert server.url in login.out
    assert "alice" in login.out

    assert shell.run("token").out == "access-0-1\n"
    assert shell.run("token", "--issuer", server.url).out == "access-0-1\n"
    assert shell.run("token", "--min-life", "1000").out == "access-1-2\n"

    logout = shell.run("logout")
    assert (logout.code, logout.err) == (0, "")
    assert server.calls("logout")[0].body == {"refresh_token": "mpr_1", "scope": "this"}
    assert shell.run("token").code == 3
    assert shell.run("logout").code == 0


def test_the_password_is_what_stdin_holds_without_its_line_end(shell: Shell, server: AuthServer) -> None:
    ran = shell.run("login", server.url, "--username", "alice", "--password-stdin", stdin=" spaces \r\n")

    assert ran.code == 1
    assert server.calls("login")[0].body["password"] == " spaces "


def test_a_wrong_password_is_refused_in_one_line(shell: Shell, server: AuthServer) -> None:
    ran = shell.run("login", server.url, "--username", "alice", "--password-stdin", stdin="wrong\n")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "mapae: wrong user name or password\n"
    assert shell.run("status").code == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["login"],
        ["login", "http://auth.example.com", "--username", "alice", "--password-stdin"],
        ["login", "auth.example.com", "--username", "alice", "--password-stdin"],
        ["login", "https://auth.example.com", "--password-stdin"],
        ["login", "https://auth.example.com", "--username", "alice"],  # no terminal to ask
        ["token", "--min-life", "-1"],
        ["token", "--nonsense"],
        ["decode", "mpr_0123"],
        ["decode", "not.a.token"],
        ["nonsense"],
        ["--nonsense"],
    ],
    ids=shlex.join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(shell: Shell, arguments: list[str]) -> None:
    ran = shell.run(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("mapae: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("verb", ["token", "status", "switch", "logout", "decode", "exec true"])
def test_who_is_not_signed_in_is_told_what_to_run(shell: Shell, verb: str) -> None:
    ran = shell.run(*verb.split())

    assert (ran.code, ran.out) == (3, "")
    assert "run: mapae login" in ran.err


def test_a_dead_session_is_exit_code_3_with_its_reason(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)
    server.ended = "password_changed"

    ran = shell.run("token", "--min-life", "1000")
    assert ran.code == 3
    assert "password changed" in ran.err
    assert f"run: mapae login {server.url}" in ran.err

    assert "ended: password changed" in shell.run("status").out


def test_an_unreachable_server_is_exit_code_4(shell: Shell) -> None:
    with auth_server() as server:
        shell.login(server.url)
    login, logout = shell.login(server.url), shell.run("logout")

    assert (login.code, logout.code) == (4, 4)
    assert "cannot be reached" in login.err
    assert "the tokens here are deleted" in logout.err


def test_signing_out_everywhere_needs_the_server(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)
    server.replies.append(Reply(503))

    failed = shell.run("logout", "--all")
    assert (failed.code, "nothing was deleted" in failed.err) == (4, True)

    assert shell.run("logout", "--all").code == 0
    assert server.calls("logout")[-1].body["scope"] == "all"


def test_a_damaged_store_is_exit_code_5_and_kept(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)
    (kept,) = shell.home.glob("*.json")
    kept.write_bytes(b"{")

    ran = shell.run("token")
    assert ran.code == 5
    assert len(list(shell.home.glob("*.damaged-*"))) == 1
    assert shell.run("token").code == 3


def test_a_damaged_pointer_is_said_in_one_line(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)
    (shell.home / "current").write_bytes(b"\xff\x00")

    ran = shell.run("token")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert shell.run("token", "--issuer", server.url).out == "access-0-1\n"


def test_a_token_in_the_environment_wins(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)

    assert shell.run("token", MAPAE_TOKEN="from.the.environment").out == "from.the.environment\n"


def test_status_lists_every_sign_in(shell: Shell, server: AuthServer) -> None:
    with auth_server() as other:
        shell.login(other.url)
        shell.login(server.url)

    listed = json.loads(shell.run("status", "--json").out)
    assert {(entry["issuer"], entry["username"], entry["current"]) for entry in listed} == {
        (other.url, "alice", False),
        (server.url, "alice", True),
    }
    assert all(0 < entry["access_token_remaining"] <= 300 for entry in listed)

    lines = shell.run("status").out.splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == ["", "*"]
    assert all("4 min left" in line and "29 days left" in line for line in lines)


def test_an_empty_list_is_still_json(shell: Shell) -> None:
    ran = shell.run("status", "--json")

    assert (ran.code, json.loads(ran.out)) == (0, [])


def test_the_help_names_every_verb_and_imports_none(shell: Shell) -> None:
    ran = shell.python(f"{TELL_IMPORTS}; main()", "--help")

    imported = set(ran.err.split())
    assert "mapae.cli.verbs" in imported
    for name, verb in VERBS.items():
        assert f"\n  {name} " in ran.out
        assert verb.module not in imported


@pytest.mark.parametrize(
    ("options", "more"), [([], set()), (["--profile", "work", "--format", "json"], {"click"})]
)
def test_a_shell_prompt_pays_for_no_http_and_no_cryptography(
    shell: Shell, server: AuthServer, options: list[str], more: set[str]
) -> None:
    arguments = ("--username", "alice", "--password-stdin", "--profile", "work")
    shell.run("login", server.url, *arguments, stdin="open sesame\n")
    ran = shell.python(f"{TELL_IMPORTS}; main()", "token", *options)

    assert "access-0-1" in ran.out
    imported = set(ran.err.split())
    assert "mapae.client.session" in imported
    assert more >= imported & {
        "http.client",
        "urllib.request",
        "ssl",
        "socket",
        "httpx",
        "cryptography",
        "filelock",
        "logging",
        "click",
    }


def test_a_missing_package_is_named_with_what_installs_it(shell: Shell) -> None:
    without = "import sys; sys.modules[{!r}] = None; from mapae.cli.main import main; sys.exit(main())"

    click = shell.python(without.format("click"), "status")
    assert (click.code, "pip install 'mapae[client]'" in click.err) == (2, True)
    server = shell.python(without.format("sqlalchemy"), "user", "list")
    assert (server.code, "pip install 'mapae[server]'" in server.err) == (2, True)


def test_the_password_is_asked_for_and_never_shown(shell: Shell, server: AuthServer) -> None:
    answers = [("User name: ", "alice"), ("Password: ", "open sesame")]
    ran = shell.terminal("login", server.url, answers=answers)

    assert (ran.code, "Signed in" in ran.out) == (0, True)
    assert "open sesame" not in ran.out


def test_a_person_at_a_terminal_sees_headings_and_colours_unless_unwanted(
    shell: Shell, server: AuthServer
) -> None:
    shell.login(server.url)

    assert "\x1b[" in shell.terminal("status").out
    shell.variables["NO_COLOR"] = "1"
    plain = shell.terminal("status").out
    assert plain.split("\n")[0].split() == ["PROFILE", "SERVER", "USER", "TOKEN", "SESSION"]
    assert "\x1b" not in plain


def test_a_verb_stops_quietly_when_nobody_reads_on(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)
    closed = (
        "import os, sys; read_end, write_end = os.pipe(); os.close(read_end); os.dup2(write_end, 1); "
        "from mapae.cli.main import main; sys.exit(main())"
    )
    ran = shell.python(closed, "status")

    assert "Traceback" not in ran.err


@pytest.fixture
def curl(shell: Shell, tmp_path: Path) -> Path:
    """A stand-in for curl that tells its arguments, its configuration and its standard input."""
    directory = tmp_path / "bin"
    directory.mkdir()
    script = directory / "curl"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho --\ncat "$2"\necho --\ncat\n')
    script.chmod(0o755)
    shell.variables["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"
    return script


@pytest.mark.usefixtures("curl")
def test_curl_gets_the_token_where_no_argument_list_shows_it(shell: Shell, server: AuthServer) -> None:
    shell.login(server.url)
    ran = shell.run(
        "curl", "--send-to", server.url, f"{server.url}/orders", "-X", "POST", "-d", "@-", stdin="the body"
    )

    arguments, configuration, stdin = ran.out.split("--\n")
    assert arguments.splitlines()[2:] == [f"{server.url}/orders", "-X", "POST", "-d", "@-"]
    assert "access-0-1" not in arguments
    assert configuration.splitlines() == [
        'header = "Authorization: Bearer access-0-1"',
        f'connect-to = "::{server.url.removeprefix("http://")}"',
    ]
    assert stdin == "the body"


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://api.example.com/",
        "https://auth.example.com.evil.example",
        "file:///etc/passwd",
    ],
)
def test_curl_refuses_an_origin_the_token_is_not_for(shell: Shell, url: str) -> None:
    ran = shell.run("curl", url, MAPAE_TOKEN=token_for("https://auth.example.com", "https://api.example.com"))

    assert (ran.code, ran.out) == (2, "")


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("url", ["https://api.example.com/orders", "https://auth.example.com/auth/me"])
def test_curl_sends_to_the_audience_and_the_issuer(shell: Shell, url: str) -> None:
    ran = shell.run("curl", url, MAPAE_TOKEN=token_for("https://auth.example.com", "https://api.example.com"))

    assert ran.code == 0


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("token", ['a"\nurl = "https://evil.example', "a\\b", "a b"])
def test_curl_takes_no_token_that_would_be_read_as_configuration(shell: Shell, token: str) -> None:
    ran = shell.run(
        "curl", "--send-to", "https://api.example.com", "https://api.example.com", MAPAE_TOKEN=token
    )

    assert (ran.code, ran.out) == (2, "")


def test_the_real_curl_carries_the_token_to_one_place_only(shell: Shell, server: AuthServer) -> None:
    with auth_server() as other:
        shell.login(server.url)
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        ran = shell.run("curl", "--send-to", server.url, f"{server.url}/orders", "-s", f"{elsewhere}/orders")

        assert ran.code == 0
        assert [seen.headers["authorization"] for seen in server.calls_to("/orders")] == [
            "Bearer access-0-1"
        ] * 2
        assert other.seen == []


def token_for(issuer: str, audience: str) -> str:
    """A token nobody signed, which is all that `curl` reads of one."""
    from mapae.jose import base64url, strict_json

    return f"e30.{base64url.encode(strict_json.dump({'iss': issuer, 'aud': [audience, 'orders']}))}.AAAA"
