"""Writing of cells: formulas with their values, text that stays text, rows by month."""

from __future__ import annotations

import math
from typing import Any

from optimizer.review.workbook.formula import FIRST, OPENING, Expr, Row, Value, column_name
from optimizer.review.workbook.model import SPARE_MONTHS, Model
from optimizer.review.workbook.styles import HEADING, LINKED, QUIET, STRONG, TITLE, WRAP, Styles
from optimizer.review.workbook.texts import inert, starts_formula


class Sheet:
    """One sheet that is written from the top down."""

    def __init__(self, book: Any, styles: Styles, name: str) -> None:
        self.page = book.add_worksheet(name)
        self.book, self.styles, self.name, self.line = book, styles, name, 0
        self.page.hide_gridlines(2)
        self.page.set_landscape()
        self.page.set_paper(9)  # A4
        self.page.fit_to_pages(1, 0)
        self.page.set_footer("&L&F  &A&RPage &P of &N")

    def protect(self) -> None:
        """Against slips of the hand, not against people: there is no password."""
        self.page.protect("", {"format_columns": True, "format_rows": True, "sort": False})

    def text(self, column: int, words: object, **look: Any) -> None:
        """A text, whatever it looks like."""
        line = inert(words)
        if starts_formula(line):
            look["quote_prefix"] = True
        self.page.write_string(self.line, column, line, self.styles("", **look))

    def number(self, column: int, value: float, form: str, **look: Any) -> None:
        self.page.write_number(self.line, column, value, self.styles(form, **look))

    def formula(self, column: int, expr: Expr, form: str, **look: Any) -> Value:
        """A formula with its value, green where it only fetches or reads another sheet."""
        words, value = expr.text(self.name, column), expr.value(column)
        if "!" in words:
            look = {**LINKED, **look}
        self.cached(column, f"={words}", value, form, **look)
        return value

    def cached(self, column: int, formula: str, value: Value, form: str, **look: Any) -> None:
        shown = float(value) if isinstance(value, bool) else value
        self.page.write_formula(self.line, column, formula, self.styles(form, **look), shown)

    def name_cell(self, name: str, column: int) -> None:
        place = f"${column_name(column)}${self.line + 1}"
        self.book.define_name(name, f"={self.name}!{place}")

    def title(self, words: str, below: str = "") -> None:
        self.text(0, words, **TITLE)
        self.line += 1
        if below:
            self.text(0, below, **QUIET)
            self.line += 1
        self.line += 1

    def heading(self, *words: str, right: int = 0, until: int = 0) -> None:
        """Titles of columns; those from `right` to `until` stand over numbers."""
        for column, word in enumerate(words):
            side: dict[str, Any] = {"align": "right"} if right and right <= column <= until else {}
            self.text(column, word, **{**HEADING, **side})
        self.line += 1

    def wrapped(self, words: str, columns: int, height: float = 30) -> None:
        """A paragraph over several columns."""
        self.page.merge_range(
            self.line, 0, self.line, columns - 1, inert(words), self.styles(**WRAP)
        )
        self.page.set_row(self.line, height)
        self.line += 1


def lay_out(model: Model, sheet: str, first_line: int) -> None:
    """Give each row of a sheet its line, before anything refers to it."""
    line = first_line
    for row in model.rows.get(sheet, []):
        if isinstance(row, Row):
            row.line = line
        line += 1


COLUMNS_OF_A_PAGE = 17

HEADER = ("", "unit", "total", "opening")


def period_header(sheet: Sheet, model: Model) -> None:
    for column, word in enumerate(HEADER):
        sheet.text(column, word, **HEADING, **({"align": "right"} if column > 1 else {}))
    for period in range(model.periods):
        words = "start" if period == 0 else f"month {period}"
        sheet.text(FIRST + period, words, align="right", **HEADING)
    sheet.line += 1


def write_rows(sheet: Sheet, model: Model) -> None:
    """All rows of a sheet, with headings between them."""
    for row in model.rows.get(sheet.name, []):
        if isinstance(row, str):
            sheet.text(0, row, **STRONG)
        else:
            _write_row(sheet, row)
        sheet.line += 1


def _write_row(sheet: Sheet, row: Row) -> None:
    assert row.line == sheet.line, (row.label, row.line, sheet.line)
    sheet.text(0, row.label)
    sheet.text(1, row.unit, **QUIET)
    if row.summed:
        first, last = column_name(FIRST), column_name(FIRST + len(row.values) - 1)
        place = f"{first}{row.line + 1}:{last}{row.line + 1}"
        total = sum(value for value in row.values if not isinstance(value, str))
        sheet.cached(2, f"=SUM({place})", total, row.form, **STRONG)
    if row.opening is not None:
        sheet.number(OPENING, row.opening, row.form, **QUIET)
    for column, value in enumerate(row.values, start=FIRST):
        words = row.expr.text(sheet.name, column)
        look = LINKED if "!" in words else {}
        sheet.cached(column, f"={words}", value, row.form, **look)


def period_sheet(sheet: Sheet, model: Model, words: str, below: str) -> None:
    """A sheet that is all rows by month."""
    sheet.title(words, below)
    period_header(sheet, model)
    write_rows(sheet, model)
    set_widths(sheet, model)
    sheet.page.freeze_panes(sheet_top(below), FIRST)


def sheet_top(below: str) -> int:
    """Line of the first row under title and header."""
    return 4 if below else 3


def set_widths(sheet: Sheet, model: Model) -> None:
    sheet.page.set_column(0, 0, 44)
    sheet.page.set_column(1, 1, 14)
    sheet.page.set_column(2, 2, 15)
    sheet.page.set_column(3, 3, 10)
    sheet.page.set_column(FIRST, FIRST + model.periods - 1, 12)
    used = FIRST + model.periods - 1 - SPARE_MONTHS
    sheet.page.print_area(0, 0, sheet.line, used)
    sheet.page.repeat_columns(0, OPENING)
    sheet.page.fit_to_pages(max(1, math.ceil(used / COLUMNS_OF_A_PAGE)), 0)
