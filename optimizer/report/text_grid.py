"""Columns of text that fit a width: the long ones are folded, nothing is ever cut off."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.report.tables import Column
from optimizer.report.texts import plain

GAP = 2
LEAST = 12
"""A column is folded no narrower than this."""

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def cell_width(text: str) -> int:
    """Columns of a terminal that a text takes; Chinese characters take two."""
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    blanks = " " * max(0, width - cell_width(text))
    return blanks + text if right else text + blanks


def folded(text: str, width: int) -> list[str]:
    """Lines no wider than `width`, broken at blanks, or inside a word that is too long."""
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if cell_width(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while cell_width(line) > width:
            head = next(
                line[:n] for n in range(len(line), 0, -1) if n == 1 or cell_width(line[:n]) <= width
            )
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line or not lines else lines


def grid(
    columns: Sequence[str | Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    indent: int = 2,
    bold: bool = False,
) -> str:
    """A table without lines. With a `width`, columns are folded until it fits.

    First between words; where that is not enough, inside the words of text columns.
    """
    titles = [column if isinstance(column, Column) else Column(column) for column in columns]
    rows = [[plain(cell) for cell in row] for row in rows]
    wide = [
        max(cell_width(cell) for cell in (title.title, *(row[i] for row in rows)))
        for i, title in enumerate(titles)
    ]
    if width is not None:
        words = [
            max(cell_width(word) for row in rows for word in (*row[i].split(), *title.split(), ""))
            for i, title in enumerate(t.title for t in titles)
        ]
        _narrow(wide, words, width - indent)
        least = [n if t.right else LEAST for n, t in zip(wide, titles, strict=True)]
        _narrow(wide, least, width - indent)
    out = []
    for number, row in enumerate([[title.title for title in titles], *rows]):
        cells = [
            [cell] if cell_width(cell) <= wide[i] else folded(cell, wide[i])
            for i, cell in enumerate(row)
        ]
        for n in range(max(map(len, cells))):
            shown = [cell[n] if n < len(cell) else "" for cell in cells]
            out.append(_line(shown, titles, wide, indent, bold=bold and not number))
    return "".join(f"{line}\n" for line in out)


def _narrow(wide: list[int], least: Sequence[int], room: int) -> None:
    """Take from the widest column until the row fits or none can give more."""
    while sum(wide) + GAP * (len(wide) - 1) > room:
        able = [i for i, least_width in enumerate(least) if wide[i] > least_width]
        if not able:
            return
        wide[max(able, key=lambda i: wide[i])] -= 1


def _line(
    cells: Sequence[str],
    titles: Sequence[Column],
    wide: Sequence[int],
    indent: int,
    *,
    bold: bool = False,
) -> str:
    parts = (padded(c, w, right=t.right) for c, w, t in zip(cells, wide, titles, strict=True))
    text = (" " * GAP).join(parts).rstrip()
    return " " * indent + (f"{_BOLD}{text}{_PLAIN}" if bold else text) if text else ""
