"""The reference of the command line, written from the commands themselves."""

import inspect
from collections.abc import Iterator
from importlib import import_module

import click

from mapae.cli.verbs import OPERATOR_VERBS, USER_VERBS


def command_line_page() -> str:
    """docs/reference/command-line.md."""
    parts = {"For everyone": USER_VERBS, "For operators": OPERATOR_VERBS}
    sections = "\n".join(
        f"## {title}\n\n"
        + "\n".join(
            _verb(f"mapae {name}", import_module(verb.module).command) for name, verb in verbs.items()
        )
        for title, verbs in parts.items()
    )
    return f"""# Command line

`mapae VERB --help` says the same. A failure is one line on stderr, and an
[exit code](../errors.md#the-command-line-exit-codes). Listings take `--json`.

The verbs for operators work on the database of the [settings](settings.md), whether a server runs or not. The others
keep their tokens in `MAPAE_HOME`, by default the user's state directory. `MAPAE_PROFILE` names the sign-in they mean;
`MAPAE_TOKEN` is used in place of all of them by `token`, `exec`, `curl` and `decode`. [How to use
it](../how-to/use-the-command-line.md), with completion for shells.

{sections}"""


def _verb(name: str, command: click.Command) -> str:
    if isinstance(command, click.Group):
        return "\n".join(_verb(f"{name} {sub}", child) for sub, child in command.commands.items())
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    options = "".join(f"- {line}\n" for line in _options(command))
    return f"### `{usage}`\n\n{_text(command)}\n" + (f"\n{options}" if options else "")


def _text(command: click.Command) -> str:
    """The help without its examples."""
    return inspect.cleandoc(command.help or "").partition("\n\n\b")[0]


def _options(command: click.Command) -> Iterator[str]:
    for option in command.params:
        if not isinstance(option, click.Option) or option.name == "help":
            continue
        value = "" if option.is_flag else f" {option.metavar or option.opts[-1].lstrip('-')}".upper()
        default = f" Default: {option.default}." if option.show_default else ""
        yield f"`{', '.join(option.opts)}{value}`: {option.help or ''}{default}"
