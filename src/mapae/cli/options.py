"""Options that several verbs have."""

from collections.abc import Callable
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

#: For arguments that may begin with a hyphen, as ids do: nothing but `--help` is an option then.
HYPHENS_ALLOWED: Final = {"ignore_unknown_options": True, "help_option_names": ["--help"]}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def complete_profile(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """What a shell may complete to the name of a profile or the URL of a server."""
    from mapae.cli.profiles import sign_ins
    from mapae.client.errors import StoreFailed

    try:
        labels = [profile.label for profile, _ in sign_ins()]
    except StoreFailed:
        return []
    return [CompletionItem(label) for label in labels if label.startswith(begun)]


def profile_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--profile` and `--issuer`: the arguments `profile` and `issuer`, for `profiles.chosen`."""
    for option in (
        click.option("--issuer", metavar="URL", help="The server; by default that of the current profile."),
        click.option(
            "--profile",
            metavar="NAME",
            shell_complete=complete_profile,
            help="The profile; see mapae switch.",
        ),
    ):
        command = option(command)
    return command


min_life_option = click.option(
    "--min-life",
    default=60,
    show_default=True,
    type=click.IntRange(0, 86_400),
    metavar="SECONDS",
    help="Renew a token that dies sooner.",
)
