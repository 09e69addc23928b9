"""CSV: UTF-8, a header in the first line, commas."""

from __future__ import annotations

import csv
import io

from providers.formats.cells import Cells, Line, Place, Problem


def read_csv(data: bytes, name: str) -> Cells:
    """The cells of a CSV file.

    Raises:
        DocumentError: it is not UTF-8, or not CSV.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = Place(name, line)
        raise where.refused("the file is not UTF-8 text", "save it as CSV UTF-8") from None
    try:
        return _read(text, name)
    except csv.Error as error:
        raise Place(name).refused(f"the file is not CSV: {error}") from None


def _read(text: str, name: str) -> Cells:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [cell.strip() for cell in next(reader, [])]
    found = Cells(
        _place(name, 1, 0), [(column, _place(name, 1, n)) for n, column in enumerate(header, 1)]
    )
    numbers = {column: number for number, column in reversed([*enumerate(header, 1)])}
    last = reader.line_num
    for cells in reader:
        line, last = last + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            which = f"{len(cells)} cells in a table of {len(header)} columns"
            place = _place(name, line, min(len(cells), len(header) + 1))
            found.problems.append(Problem(place, which, "quote a cell that holds a comma"))
            continue
        values = dict(zip(header, (cell.strip() for cell in cells), strict=True))

        def at(column: str, line: int = line) -> Place:
            return _place(name, line, numbers.get(column, 0), column)

        found.lines.append(Line(f"line {line}", values, at))
    return found


def _place(name: str, line: int, column: int, path: str = "") -> Place:
    return Place(name, line, column, path, (line, column))
