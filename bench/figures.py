"""What a measurement found, and the table of it: with colours for a person, plain for a file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. `goal` says what the value should be, `met` whether it is; None where there is none."""

    what: str
    value: str
    goal: str = ""
    met: bool | None = None


def at_most(what: str, value: float, limit: float, unit: str) -> Figure:
    """A figure that should be small."""
    return Figure(what, f"{value:,.4g} {unit}", f"at most {limit:g} {unit}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str) -> Figure:
    """A figure that should be large."""
    return Figure(what, f"{value:,.4g} {unit}", f"at least {limit:g} {unit}", value >= limit)


def print_table(title: str, figures: Sequence[Figure]) -> None:
    """Print the figures of one measurement."""
    if sys.stdout.isatty():
        _print_for_a_person(title, figures)
    else:
        print(f"\n{title}")
        for figure in figures:
            verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
            print(f"  {figure.what:<62}{figure.value:>16}  {figure.goal:<18}{verdict}".rstrip())
    sys.stdout.flush()


def _print_for_a_person(title: str, figures: Sequence[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    for figure in figures:
        colour = {True: "green", False: "bold red", None: ""}[figure.met]
        table.add_row(
            figure.what, f"[{colour}]{figure.value}" if colour else figure.value, f"[dim]{figure.goal}"
        )
    Console().print(table)
