"""The command `mapae` itself: a click group that imports a verb only to run it."""

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from mapae.cli.verbs import OPERATOR_VERBS, USER_VERBS, VERBS


class LazyGroup(click.Group):
    """Knows its verbs from the table: a shell prompt calls `mapae token` and pays for nothing else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name, imported now."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            message = f"there is no command {cmd_name!r}"
            raise click.exceptions.NoSuchCommand(cmd_name, message, possibilities=VERBS, ctx=ctx)
        command = import_module(verb.module).command
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What begins like this, from the table: asking the commands would import all of them."""
        return [
            CompletionItem(name, help=verb.summary)
            for name, verb in VERBS.items()
            if name.startswith(incomplete)
        ] + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the table; asking the commands for their helps would import all of them."""
        for title, verbs in (("For everyone", USER_VERBS), ("For operators", OPERATOR_VERBS)):
            with formatter.section(title):
                formatter.write_dl([(name, verb.summary) for name, verb in verbs.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mapae", prog_name="mapae", message="%(prog)s %(version)s")
def mapae() -> None:
    """Token authentication: sign in, call APIs, run the server."""
