"""What verbs print: aligned and coloured for a person at a terminal, tab-separated for a program."""

import os
import sys
from collections.abc import Iterator, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Final

import click

#: A column narrower than this is no help to a reader: then each row becomes a block of lines.
NARROWEST: Final = 16
_GAP: Final = "  "


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


def counted(number: int, thing: str) -> str:
    """How many there are: `1 session`, `2 sessions`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, spare: int = 0) -> None:
    """Columns under headings for a person; one row a line with tabs between, without headings, for a program.

    Where the terminal is too narrow the widest column is wrapped, then the last ones are left out, as many as are
    `spare`; where that is not enough each row becomes a block of lines, one a heading.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if not on_terminal():
        for row in cells:
            click.echo("\t".join(row))
        return
    room = get_terminal_size().columns
    for shown in range(len(headings), len(headings) - spare - 1, -1):
        columns = list(zip(headings, *cells, strict=True))[:shown]
        if (widths := _fitting(columns, room)) is not None:
            break
    else:
        _print_blocks(headings, cells, room)
        return
    click.echo(paint(_aligned(headings, widths), dim=True))
    for row in cells:
        for line in _wrapped(row, widths):
            click.echo(_aligned(line, widths))


def _fitting(columns: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The widths of columns that fit into the room, the widest one narrowed if need be; None when they do not."""
    widths = [max(map(len, column)) for column in columns]
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    if excess > 0:
        widest = widths.index(max(widths))
        widths[widest] -= excess
        if widths[widest] < NARROWEST:
            return None
    return widths


def _print_blocks(headings: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> None:
    indent = max(map(len, headings)) + len(_GAP)
    for number, row in enumerate(rows):
        if number:
            click.echo()
        for heading, cell in zip(headings, row, strict=True):
            for line_number, line in enumerate(_lines(cell, max(room - indent, NARROWEST))):
                title = "" if line_number else heading
                click.echo(paint(title.ljust(indent), dim=True) + line)


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> Iterator[Sequence[str]]:
    """The lines of a row, the cells of each as many as the row has."""
    columns = [_lines(cell, width) or [""] for cell, width in zip(row, widths, strict=False)]
    for number in range(max(map(len, columns))):
        yield [column[number] if number < len(column) else "" for column in columns]


def _lines(cell: str, width: int) -> list[str]:
    return wrap(cell, width, break_on_hyphens=False)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()
