"""What verbs print: aligned and coloured for a person at a terminal, tab-separated for a program."""

import os
import sys
from collections.abc import Sequence

import click


def on_terminal() -> bool:
    """Whether a person is looking."""
    return sys.stdout.isatty()


def paint(text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    """The text in colour; as it is for a program and where `NO_COLOR` is set."""
    if not on_terminal() or os.environ.get("NO_COLOR"):
        return text
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def printable(text: str) -> str:
    """The text with everything escaped that could move a cursor, change a colour or reverse a line."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns under headings for a person; one row a line with tabs between, without headings, for a program."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not on_terminal():
        for row in cells:
            click.echo("\t".join(row))
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    click.echo(paint(_aligned(headings, widths), dim=True))
    for row in cells:
        click.echo(_aligned(row, widths))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
