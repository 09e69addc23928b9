"""One way to print rows: a table for people, CSV for spreadsheets, Markdown for memos."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from optimizer.report.texts import LONGEST, MOST_READ, csv_cell, plain


class TableFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"
    MD = "md"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title; numbers stand to the right."""

    title: str
    right: bool = False


Cells = Sequence[Sequence[object]]

_MARKUP = re.compile(r"(?<!\\)[|<\[]")
"""What would end a cell, or be a tag or a link; not what is escaped already."""

_GAP = 2
"""Blanks between two columns."""

_LEAST_FOLDED = 16
"""Cells of the last column are folded on a terminal, but no narrower than this."""


def render(columns: Sequence[str | Column], rows: Cells, format: str = "table") -> str:
    """The rows as text that ends in a newline.

    A table is as wide as its longest cells need. On a terminal its last column is folded to fit,
    and titles are bold. Cells are text, whatever a stranger wrote into them: brackets are no
    markup, control and direction marks are left out, a name of a thousand letters is cut; what a
    spreadsheet would take for a formula gets an apostrophe in CSV.

    Raises:
        ValueError: `format` is not table, csv or md, or a row has not one cell per column.
    """
    titles = [column if isinstance(column, Column) else Column(column) for column in columns]
    longest = {"csv": MOST_READ}.get(format, LONGEST)
    texts = [["" if cell is None else plain(cell, longest) for cell in row] for row in rows]
    for row in texts:
        if len(row) != len(titles):
            raise ValueError(f"{len(row)} cells for {len(titles)} columns: {row}")
    writer = {"table": _table, "csv": _csv, "md": _markdown}.get(format)
    if writer is None:
        raise ValueError(f"'{format}' is not table, csv or md")
    return writer(titles, texts)


def _table(columns: list[Column], rows: list[list[str]]) -> str:
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    styled = terminal and "NO_COLOR" not in os.environ
    grid = Table(box=None, pad_edge=False, header_style="bold" if styled else "")
    width = 0
    for number, column in enumerate(columns):
        last = terminal and number == len(columns) - 1
        longest = max(cell_len(row[number]) for row in [[c.title for c in columns], *rows])
        width += _GAP + (min(longest, _LEAST_FOLDED) if last else longest)
        grid.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not last,
            overflow="fold",
        )
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    text = io.StringIO()
    console = Console(
        file=text,
        width=max(width, shutil.get_terminal_size().columns if terminal else 0),
        force_terminal=styled,
        no_color=not styled,
        highlight=False,
        emoji=False,
    )
    console.print(grid)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _csv(columns: list[Column], rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.title for column in columns])
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _markdown(columns: list[Column], rows: list[list[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        safe = (_MARKUP.sub(r"\\\g<0>", cell) for cell in cells)
        return f"| {' | '.join(safe)} |\n"

    rule = "".join(f"|{' ---: ' if column.right else ' --- '}" for column in columns) + "|\n"
    return line([column.title for column in columns]) + rule + "".join(line(row) for row in rows)
