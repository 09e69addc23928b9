"""Web pages that are price lists: tables under headings that must be the expected ones, and text.

A page is changed by whoever writes it. So every heading is compared, in its place: a column that
moved, went or came is an error that names the headings found, never a price of another column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers.adapter import Snapshot
from providers.http import FetchError, excerpt

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

HEADERS = {"Accept": "text/html"}
MONEY = "元"
"""In a heading: the table has prices."""
_NOTHING = ("-", "--", "—", "/", "暂无", "询价", "面议")
_WIDEST_SPAN = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of table."""

    kind: str
    columns: Mapping[str, str]
    """What a column is called here → regular expression of its whole heading, without spaces."""

    def fits(self, headings: Sequence[str]) -> bool:
        bare = [heading.replace(" ", "") for heading in headings]
        return len(bare) == len(self.columns) and all(
            re.fullmatch(pattern, heading, re.IGNORECASE)
            for pattern, heading in zip(self.columns.values(), bare, strict=True)
        )


def price_rows(
    snapshot: Snapshot, layouts: Sequence[Layout]
) -> list[tuple[Layout, dict[str, str]]]:
    """The rows of all tables with money in a heading, by our names of the columns.

    Cells that say there is nothing are empty; a cell over several rows is in each of them.

    Raises:
        FetchError: there is no such table, or one with other headings, or a row with more or
            fewer cells than headings.
    """
    found = []
    for headings, *rows in _tables(_page(snapshot)):
        if not any(MONEY in heading for heading in headings):
            continue
        layout = next((layout for layout in layouts if layout.fits(headings)), None)
        if layout is None:
            said = " | ".join(headings)
            raise FetchError(f"{snapshot.address}: a price table with other columns: {said:.200}")
        for cells in rows:
            if len(cells) != len(headings):
                said = f"{len(cells)} cells under {len(headings)} headings: {' | '.join(cells)}"
                raise FetchError(f"{snapshot.address}: {said:.200}")
            values = ["" if cell in _NOTHING else cell for cell in cells]
            found.append((layout, dict(zip(layout.columns, values, strict=True))))
    missing = {layout.kind for layout in layouts} - {layout.kind for layout, _ in found}
    if missing:
        raise FetchError(f"{snapshot.address}: no price table of {', '.join(sorted(missing))}")
    return found


def page_text(snapshot: Snapshot) -> str:
    """All text that is shown, on one line.

    Raises:
        FetchError: it is no page, or not all of one.
    """
    page = _page(snapshot)
    for hidden in page(["script", "style"]):
        hidden.decompose()
    return _plain(page)


def _page(snapshot: Snapshot) -> BeautifulSoup:
    from bs4 import BeautifulSoup

    try:
        text = snapshot.body.decode()
    except UnicodeDecodeError:
        raise FetchError(f"{snapshot.address}: no price page, not UTF-8") from None
    if "</html>" not in text.lower():
        said = excerpt(snapshot.body)
        raise FetchError(f"{snapshot.address}: no price page, or not all of one{said}")
    return BeautifulSoup(text, "html.parser")


def _tables(page: BeautifulSoup) -> list[list[list[str]]]:
    """Every table as rows of cells, with spans written out; the first row are the headings."""
    tables = []
    for table in page("table"):
        rows: list[list[str]] = []
        hanging: dict[int, tuple[int, str]] = {}
        own = (line for line in table("tr") if line.find_parent("table") is table)
        rows.extend(_cells(line, hanging) for line in own)
        if rows:
            tables.append(rows)
    return tables


def _cells(line: Tag, hanging: dict[int, tuple[int, str]]) -> list[str]:
    """The cells of a row, among those that hang into it: column → rows still to go, and text."""
    cells: list[str] = []

    def take_hanging() -> None:
        while len(cells) in hanging:
            column = len(cells)
            rows, text = hanging.pop(column)
            if rows > 1:
                hanging[column] = (rows - 1, text)
            cells.append(text)

    for cell in line(["td", "th"], recursive=False):
        take_hanging()
        text = "" if cell.find("table") else _plain(cell)  # that table stands for itself
        deep = _span(cell, "rowspan")
        for _ in range(_span(cell, "colspan")):
            if deep > 1:
                hanging[len(cells)] = (deep - 1, text)
            cells.append(text)
    take_hanging()
    return cells


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1"))
    return min(max(int(written), 1), _WIDEST_SPAN) if written.isdecimal() else 1


def _plain(tag: Tag) -> str:
    """Text with single spaces, and full-width signs as the plain ones."""
    return " ".join(unicodedata.normalize("NFKC", tag.get_text(" ")).split())
