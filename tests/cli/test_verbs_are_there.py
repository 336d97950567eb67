"""The table of verbs promises nothing that is not there."""

from importlib import import_module
from pathlib import Path

import click
import pytest

from mapae.cli.output import counted
from mapae.cli.verbs import VERBS
from tests.cli.command import MAIN, Shell
from tests.client.wire import auth_server


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_of_the_table_is_a_command_with_a_help(name: str) -> None:
    command = import_module(VERBS[name].module).command
    assert isinstance(command, click.Command)
    assert command.help
    assert "Examples:" in command.help
    assert f"mapae {name}" in command.help.partition("Examples:")[2]


@pytest.mark.parametrize("name", VERBS)
def test_each_listing_can_be_had_as_json(name: str) -> None:
    command = import_module(VERBS[name].module).command
    for listing in getattr(command, "commands", {}).values():
        if listing.name in {"list", "show", "sessions", "check"}:
            assert any("--json" in parameter.opts for parameter in listing.params), listing.name


def test_a_shell_completes_verbs_without_importing_any(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {MAIN}"
    ran = shell.python(code, _MAPAE_COMPLETE="bash_complete", COMP_WORDS="mapae s", COMP_CWORD="1")

    assert ran.out.splitlines() == [f"plain,{name}" for name in VERBS if name.startswith("s")]
    assert not {verb.module for verb in VERBS.values()} & set(ran.err.split())


@pytest.mark.parametrize("language", ["bash", "zsh", "fish"])
def test_each_shell_is_told_how_to_complete(tmp_path: Path, language: str) -> None:
    ran = Shell(tmp_path / "home").run(_MAPAE_COMPLETE=f"{language}_source")

    assert (ran.code, ran.err) == (0, "")
    assert "_MAPAE_COMPLETE" in ran.out


def test_a_shell_completes_the_names_of_profiles(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    with auth_server() as server:
        for profile in ("work", "home"):
            arguments = ("--username", "alice", "--password-stdin", "--profile", profile)
            shell.run("login", server.url, *arguments, stdin="open sesame")
    for words, last in (("mapae switch w", 2), ("mapae token --profile w", 3)):
        ran = shell.run(_MAPAE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(last))
        assert ran.out == "plain,work\n"


@pytest.mark.parametrize(("number", "words"), [(0, "0 sessions"), (1, "1 session"), (2, "2 sessions")])
def test_things_are_counted_in_words(number: int, words: str) -> None:
    assert counted(number, "session") == words


@pytest.mark.parametrize("identifier", ["-aBcDeFgHiJk", "-h0123456789", "--aBcDeFgHiJ", "-1"])
@pytest.mark.parametrize(("group", "verb"), [("session", "end"), ("key", "revoke")])
def test_an_id_may_begin_with_a_hyphen(group: str, verb: str, identifier: str) -> None:
    command = import_module(VERBS[group].module).command.commands[verb]

    (parsed,) = command.make_context(verb, [identifier]).params.values()
    assert parsed == identifier
