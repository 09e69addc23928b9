"""What every table format becomes: rows of texts by column, each with its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from providers.errors import DocumentError, Fault, RentoptError


class MissingPackageError(RentoptError):
    """A package of an extra that is not installed."""

    def __init__(self, name: str, package: str, extra: str = "tables") -> None:
        super().__init__(f"{name} needs {package}: pip install 'rentopt[{extra}]'")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, as people who open the file would look for it.

    A format with lines has `line` and `column`; the cell of a spreadsheet is part of `file`, and
    a format that no editor shows has its row and column in `path`.
    """

    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    order: tuple[int, int] = (0, 0)
    """Row and column, to put faults in the order of the file."""

    def fault(self, message: str, hint: str = "") -> Fault:
        return Fault(self.file, self.line, self.column, self.path, message, hint)

    def refused(self, message: str, hint: str = "") -> DocumentError:
        return DocumentError([self.fault(message, hint)])


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    name: str
    """What people call it: line 4, row 12."""
    cells: dict[str, str]
    """Texts by column, without blanks around them; numbers as written, days as YYYY-MM-DD."""
    at: Callable[[str], Place]
    """Column → the place of its cell; that of the row for a column it does not have."""
    unreadable: frozenset[str] = frozenset()
    """Columns whose cells have a problem already."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault that leaves the rest of a file readable."""

    place: Place
    message: str
    hint: str = ""


@dataclass(slots=True)
class Cells:
    """A whole file. Nothing in it was judged yet but that it has the shape of a table."""

    top: Place
    """Where the header is, or would be."""
    columns: Sequence[tuple[str, Place]]
    """The header, from left to right."""
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def number_text(value: float) -> str:
    """The shortest decimal that is this double: 71.04 for the double nearest to it, 8 for 8.0."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def yes_no(value: bool) -> str:
    return "yes" if value else "no"
