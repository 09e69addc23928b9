"""CSV tables read strictly: all faults of a file in one pass, each with its line and column.

A getter of `Row` always returns a value of its type. When the cell is faulty it records the
fault and returns a stand-in, so that one pass finds every fault; `Table.rows` says which rows
are sound only after all their cells have been read, through `Row.faulty`.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from providers.errors import DocumentError, Fault
from providers.hardware import UnknownHardwareError, accelerator_id, accelerators
from providers.money import CURRENCIES, Money
from providers.terms import Tenor

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_CURRENCY_WORDS = {"rmb": "CNY", "cnh": "CNY", "yuan": "CNY", "¥": "CNY", "元": "CNY"} | {
    "$": "USD",
    "us$": "USD",
    "usdollar": "USD",
    "€": "EUR",
    "euro": "EUR",
}
_FIRST_YEAR, _LAST_YEAR = 2010, 2100

Choice = TypeVar("Choice", bound=StrEnum)


def near(found: str, known: Collection[str], cutoff: float = 0.5) -> str:
    """'did you mean …?' for the closest known word, else the whole list when it is short."""
    words = {word.lower(): word for word in known}
    match = difflib.get_close_matches(found.lower(), words, n=1, cutoff=cutoff)
    if match:
        return f"did you mean {words[match[0]]}?"
    return f"one of {', '.join(known)}" if len(known) <= 12 else ""


class Row:
    """One data row; remembers where each cell stands, and what was wrong with it."""

    def __init__(self, table: Table, line: int, cells: dict[str, str]) -> None:
        self._table, self.line, self._cells = table, line, cells
        self.faulty = False

    def fault(self, column: str, message: str, hint: str = "") -> None:
        self.faulty = True
        self._table.fault(self.line, column, message, hint)

    def has(self, column: str) -> bool:
        return bool(self._cells.get(column))

    def text(self, column: str, default: str = "") -> str:
        found = self._cells.get(column, "")
        if not found and column in self._table.required:
            self.fault(column, f"{column} is empty")
        return found or default

    def price(self, column: str, currency: str, *, zero_allowed: bool = False) -> Money:
        """An amount of money above 0. A missing price is a fault: it is never 0."""
        found = self._cells.get(column, "")
        if not found:
            self.fault(column, "price is empty; a missing price is never 0", "leave the row out")
            return Money(Decimal(1), currency)
        amount = self.number(column)
        if amount < 0:
            self.fault(column, f"{column} is below 0 (got '{found}')")
        elif amount == 0 and not zero_allowed:
            self.fault(column, "price is 0; a price that is not known is left out, never 0")
        return Money(amount, currency)

    def number(self, column: str, default: Decimal | None = None) -> Decimal:
        found = self._cells.get(column, "")
        if not found and default is not None:
            return default
        if _NUMBER.fullmatch(found):
            return Decimal(found)
        hint = "digits and a decimal point, such as 1234.5, without separators or signs of currency"
        self.fault(column, f"'{found}' is not a number" if found else f"{column} is empty", hint)
        return Decimal(1)

    def maybe_number(self, column: str) -> Decimal | None:
        if not self.has(column):
            return None
        found = self.number(column)
        if found < 0:
            self.fault(column, f"{column} is below 0 (got '{found}')")
        return found

    def count(self, column: str, default: int | None = None) -> int:
        """A whole number from 1."""
        found = self._cells.get(column, "")
        if not found and default is not None:
            return default
        if re.fullmatch(r"[0-9]{1,9}", found) and int(found) >= 1:
            return int(found)
        self.fault(
            column, f"'{found}' is not a whole number from 1" if found else f"{column} is empty"
        )
        return 1

    def maybe_count(self, column: str) -> int | None:
        return self.count(column) if self.has(column) else None

    def day(self, column: str) -> date:
        found = self._cells.get(column, "")
        if not found:
            self.fault(column, f"{column} is empty", "a day such as 2026-11-22")
            return date(2000, 1, 1)
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found):
                day = date.fromisoformat(found)
                if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
                    self.fault(column, f"the year of '{found}' is not plausible")
                return day
            problem = "is not a day written YYYY-MM-DD"
        except ValueError:
            problem = "is no day of the calendar"
        self.fault(column, f"'{found}' {problem}", "a day such as 2026-11-22")
        return date(2000, 1, 1)

    def maybe_day(self, column: str) -> date | None:
        return self.day(column) if self.has(column) else None

    def yes_no(self, column: str) -> bool | None:
        found = self._cells.get(column, "").lower()
        if found not in ("", "yes", "no"):
            self.fault(column, f"'{found}' is neither yes nor no", "leave it empty if not known")
        return found == "yes" if found else None

    def choice(self, column: str, options: type[Choice], default: Choice | None = None) -> Choice:
        known = [option.value for option in options]
        found = self._cells.get(column, "")
        if not found and default is not None:
            return default
        if found in known:
            return options(found)
        article = "an" if column.startswith(("a", "e", "i", "o")) else "a"
        known_as = f"{article} {column.replace('_', ' ')}"
        given = f"'{found}' is not {known_as}" if found else f"{column} is empty"
        self.fault(column, given, near(found, known))
        return next(iter(options))

    def word(self, column: str, known: Sequence[str], default: str) -> str:
        found = self._cells.get(column, "") or default
        if found not in known:
            self.fault(column, f"'{found}' is not a known {column}", near(found, known))
        return found

    def currency(self, column: str = "currency") -> str:
        found = self._cells.get(column, "")
        if found in CURRENCIES:
            return found
        meant = _CURRENCY_WORDS.get(found.lower().replace(" ", ""))
        hint = f"did you mean {meant}?" if meant else near(found, CURRENCIES)
        self.fault(
            column, f"'{found}' is not a known currency" if found else "currency is empty", hint
        )
        return CURRENCIES[0]

    def gpu(self, column: str = "gpu") -> str:
        found = self._cells.get(column, "")
        if found:
            try:
                return accelerator_id(found)
            except UnknownHardwareError as error:
                message, _, hint = str(error).partition("; ")
                self.fault(column, message, hint)
        else:
            self.fault(column, f"{column} is empty")
        return next(iter(accelerators()))

    def tenor(self, column: str = "tenor") -> Tenor:
        found = self._cells.get(column, "")
        if not found:
            return Tenor()
        try:
            tenor = Tenor.parse(found)
        except ValueError:
            tenor = Tenor()
        if not tenor:
            words = re.fullmatch(r"[Pp]?\s*([1-9][0-9]*)\s*([DdWwMmYy])[a-zA-Z]*", found)
            hint = f"did you mean P{words[1]}{words[2].upper()}?" if words else "such as P1D or P1Y"
            self.fault(column, f"'{found}' is not a tenor", hint)
        return tenor


class Table:
    """The rows of a CSV file whose header was sound, and the faults found so far."""

    def __init__(
        self, data: bytes, name: str, columns: Sequence[str], required: Collection[str]
    ) -> None:
        self.name, self.required = name, frozenset(required)
        self.rows: list[Row] = []
        self._faults: list[Fault] = []
        self._position: dict[str, int] = {}
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._add(line, 0, "", "the file is not UTF-8 text", "save it as CSV UTF-8")
            self.check()
        try:
            self._read(text, columns)
        except csv.Error as error:
            self._add(0, 0, "", f"the file is not CSV: {error}")
            self.check()

    def _read(self, text: str, columns: Sequence[str]) -> None:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [cell.strip() for cell in next(reader, [])]
        self._check_header(header, columns)
        last = reader.line_num
        for cells in reader:
            line, last = last + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                which = f"{len(cells)} cells in a table of {len(header)} columns"
                self._add(
                    line,
                    min(len(cells), len(header) + 1),
                    "",
                    which,
                    "quote a cell that holds a comma",
                )
                continue
            values = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            self.rows.append(Row(self, line, values))

    def _check_header(self, header: list[str], columns: Sequence[str]) -> None:
        if not any(header):
            self._add(1, 0, "", "the file is empty", f"a header with {', '.join(columns)}")
            self.check()
        for number, column in enumerate(header, 1):
            if column not in columns:
                hint = near(column, columns, cutoff=0.6)
                if len(header) == 1 and ";" in column:
                    hint = "separate the columns by commas, not semicolons"
                self._add(1, number, "", f"'{column}' is not a column of this table", hint)
            elif column in self._position:
                self._add(1, number, "", f"column '{column}' is there twice")
            else:
                self._position[column] = number
        for column in columns:
            if column in self.required and column not in self._position:
                self._add(1, 0, "", f"column '{column}' is missing")
        self.check()

    def fault(self, line: int, column: str, message: str, hint: str = "") -> None:
        self._add(line, self._position.get(column, 0), column, message, hint)

    def _add(self, line: int, number: int, path: str, message: str, hint: str = "") -> None:
        self._faults.append(Fault(self.name, line, number, path, message, hint))

    def check(self) -> None:
        """Raise every fault found so far.

        Raises:
            DocumentError: there is at least one.
        """
        if self._faults:
            raise DocumentError(sorted(self._faults, key=lambda fault: (fault.line, fault.column)))
