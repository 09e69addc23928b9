"""XLSX workbooks. Cells are read as they were stored: formulas by the value they had last."""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from providers.formats.cells import (
    Cells,
    Line,
    MissingPackageError,
    Place,
    Problem,
    number_text,
    yes_no,
)

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.workbook.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

MOST_BYTES = 200_000_000
"""Once unpacked: a few kilobytes of archive can become gigabytes."""
MOST_CELLS = 2_000_000
"""Empty ones between others included: one cell in the last corner makes 17 billion."""
SHEET = "quotes"
"""The sheet that is read where several have cells."""
_PLAIN_NAME = re.compile(r"\w+")


def read_xlsx(data: bytes, name: str) -> Cells:
    """The cells of the workbook's one sheet, or of the one called `quotes`.

    Raises:
        DocumentError: it is no workbook, or it is not clear which sheet is meant.
        MissingPackageError: openpyxl is not installed.
    """
    values, formulas = _opened(data, name, stored=True), _opened(data, name, stored=False)
    for sheet in values.worksheets:
        if sheet.max_row * sheet.max_column > MOST_CELLS:
            message = f"sheet {sheet.title} reaches to {sheet.dimensions.rpartition(':')[2]}"
            raise Place(name).refused(message, "delete what is far from the table")
    title = _sheet(values, formulas, name)
    return _Sheet(name, values[title], formulas[title]).read()


def _opened(data: bytes, name: str, *, stored: bool) -> Workbook:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError:
        raise MissingPackageError(name, "openpyxl") from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > MOST_BYTES:
            raise Place(name).refused(f"the workbook unpacks to {size:,} bytes", "use Parquet")
        with warnings.catch_warnings():
            # Parts that openpyxl does not know, such as data validation, do not matter here.
            warnings.simplefilter("ignore")
            return load_workbook(io.BytesIO(data), data_only=stored)
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, OSError) as error:
        why = f"the file is no XLSX workbook that can be read: {error}"
        raise Place(name).refused(" ".join(why.split())[:200], "save it as .xlsx") from None


def _sheet(values: Workbook, formulas: Workbook, name: str) -> str:
    """The title of the sheet to read."""
    filled = [
        sheet.title
        for sheet in values.worksheets
        if sheet.sheet_state == "visible" and any(_rows(formulas[sheet.title]))
    ]
    named = [title for title in filled if title.lower() == SHEET]
    if len(filled) > 1 and not named:
        message = f"the workbook has {len(filled)} sheets: {', '.join(filled)}"
        raise Place(name).refused(message, f"call the one with the offers '{SHEET}'")
    if not filled:
        raise Place(name).refused("the workbook is empty")
    title: str = (named or filled)[0]
    return title


def _rows(sheet: Worksheet) -> Iterator[tuple[Cell, ...]]:
    """Rows with something in them."""
    for row in sheet.iter_rows():
        if any(cell.value is not None for cell in row):
            yield row


class _Sheet:
    def __init__(self, name: str, values: Worksheet, formulas: Worksheet) -> None:
        self.name, self.values, self.formulas = name, values, formulas
        title = values.title
        self.title = title if _PLAIN_NAME.fullmatch(title) else f"'{title}'"

    def place(self, cell: str, order: tuple[int, int], path: str = "") -> Place:
        return Place(f"{self.name}:{self.title}!{cell}", path=path, order=order)

    def at(self, cell: Cell, path: str = "") -> Place:
        return self.place(cell.coordinate, (cell.row, cell.column), path)

    def read(self) -> Cells:
        rows = _rows(self.formulas)
        header = next(rows)
        found = Cells(self.place(header[0].coordinate, (header[0].row, 0)), [])
        names = [self.text(cell, found.problems) or "" for cell in header]
        names = names[: max((n for n, text in enumerate(names, 1) if text), default=0)]
        found.columns = [
            (text, self.at(cell)) for text, cell in zip(names, header, strict=False) if text
        ]
        found.lines += [self.line(row, names, found.problems) for row in rows]
        return found

    def line(self, row: tuple[Cell, ...], names: list[str], problems: list[Problem]) -> Line:
        number, cells = row[0].row, {}
        beside: dict[str, Cell] = {}
        unreadable = set()
        for column, cell in itertools.zip_longest(names, row, fillvalue=""):
            if not isinstance(cell, str) and not column and cell.value is not None:
                problems.append(Problem(self.at(cell), "the cell has no column name above it"))
            if isinstance(cell, str) or not column or column in beside:
                continue
            beside[column] = cell
            text = self.text(cell, problems, column)
            cells[column] = text or ""
            if text is None:
                unreadable.add(column)

        def at(column: str) -> Place:
            if column in beside:
                return self.at(beside[column], column)
            return self.place(f"A{number}", (number, 0), column)

        return Line(f"row {number}", cells, at, frozenset(unreadable))

    def text(self, cell: Cell, problems: list[Problem], column: str = "") -> str | None:
        """The cell's value as text; None with a problem for what has none."""
        stored = self.values[cell.coordinate]
        if cell.data_type == "f" and stored.value is None:
            message = "the value of this formula was not saved"
            hint = "open and save the file in a spreadsheet program, or write the value"
            problems.append(Problem(self.at(cell, column), message, hint))
            return None
        if stored.data_type == "e":
            problems.append(Problem(self.at(cell, column), f"the cell holds {stored.value}"))
            return None
        return _written(stored.value)


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return value.isoformat() if isinstance(value, date) else str(value).strip()
