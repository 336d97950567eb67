"""The table of verbs promises nothing that is not there."""

from importlib import import_module

import click
import pytest

from mapae.cli.verbs import VERBS


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_of_the_table_is_a_command_with_a_help(name: str) -> None:
    command = import_module(VERBS[name].module).command
    assert isinstance(command, click.Command)
    assert command.help
