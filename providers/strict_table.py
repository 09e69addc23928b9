"""Tables read strictly, whatever their format: all faults in one pass, each with its place.

A getter of `Row` always returns a value of its type. When the cell is faulty it records the
fault and returns a stand-in, so that one pass finds every fault; `Table.rows` says which rows
are sound only after all their cells have been read, through `Row.faulty`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from providers.errors import DocumentError
from providers.formats.cells import Line, Place, Problem
from providers.formats.choose import read_cells
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

    def __init__(self, table: Table, line: Line) -> None:
        self._table, self._line, self._cells = table, line, line.cells
        self.name = line.name
        """What faults call the row: line 4, row 12."""
        self.faulty = bool(line.unreadable)

    def fault(self, column: str, message: str, hint: str = "") -> None:
        self.faulty = True
        if column not in self._line.unreadable:
            self._table.fault(self._line.at(column), message, hint)

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
    """The rows of a file whose header was sound, and the faults found so far.

    Raises:
        DocumentError: the file has not its format, or its header is faulty.
    """

    def __init__(
        self, data: bytes, name: str, columns: Sequence[str], required: Collection[str]
    ) -> None:
        self.required = frozenset(required)
        self._problems: list[Problem] = []
        cells = read_cells(data, name)
        self._check_header(cells.columns, columns, cells.top)
        self._problems += cells.problems
        self.rows = [Row(self, line) for line in cells.lines]

    def _check_header(
        self, header: Sequence[tuple[str, Place]], columns: Sequence[str], top: Place
    ) -> None:
        if not any(column for column, _ in header):
            self.fault(top, "the file is empty", f"a header with {', '.join(columns)}")
            self.check()
        seen: set[str] = set()
        for column, place in header:
            if column in seen:
                self.fault(place, f"column '{column}' is there twice")
            elif column not in columns:
                hint = near(column, columns, cutoff=0.6)
                if len(header) == 1 and ";" in column:
                    hint = "separate the columns by commas, not semicolons"
                self.fault(place, f"'{column}' is not a column of this table", hint)
            seen.add(column)
        for column in columns:
            if column in self.required and column not in seen:
                self.fault(top, f"column '{column}' is missing")
        self.check()

    def fault(self, place: Place, message: str, hint: str = "") -> None:
        self._problems.append(Problem(place, message, hint))

    def check(self) -> None:
        """Raise every fault found so far, in the order of the file.

        Raises:
            DocumentError: there is at least one.
        """
        if self._problems:
            found = sorted(self._problems, key=lambda problem: problem.place.order)
            raise DocumentError(
                [problem.place.fault(problem.message, problem.hint) for problem in found]
            )
