"""The spending review as a workbook: every payment of the bill, and what follows from it, live.

Sums are formulas over the sheet Bill; each payment is the plan's, times the price factor of its
line on Inputs. Values written beside the formulas are those of the plan as it is.
"""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from optimizer.finance.time_value import DAYS_IN_YEAR, discount_factor
from optimizer.review.commitments import Commitment
from optimizer.review.memo.check import TOLERANCE
from optimizer.review.memo.words import Lang, Words
from optimizer.review.spending.spending import CAPITAL, Spending
from optimizer.review.spending.told import SpendingSayings
from optimizer.review.workbook.formula import Named
from optimizer.review.workbook.front import origin_lines
from optimizer.review.workbook.inputs import write_input
from optimizer.review.workbook.model import DAY_ZERO, Input
from optimizer.review.workbook.sheet import Sheet
from optimizer.review.workbook.styles import INPUT, QUIET, REMARK, STRONG, Styles

SHEETS = ("About", "Inputs", "Bill", "Terms", "Outputs", "Checks")
KINDS = ("signed", "bought", "as used")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the bill, and the cell that moves its price."""

    component: str
    cause: str
    kind: str
    factor: str
    amount: Decimal
    present_value: Decimal


def spending_workbook(spending: Spending) -> bytes:
    """An XLSX file that follows its inputs, with the values it shows already in it."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False,
                                        "strings_to_urls": False})  # fmt: skip
    book.set_properties({"title": f"Spending plan: {spending.plan.name}"[:200],
                         "author": "rentopt"})  # fmt: skip
    styles = Styles(book)
    sheets = {name: Sheet(book, styles, name) for name in SHEETS}
    _Writer(spending, sheets).write()
    for sheet in sheets.values():
        sheet.protect()
    sheets["About"].page.activate()
    book.close()
    return buffer.getvalue()


class _Writer:
    def __init__(self, spending: Spending, sheets: dict[str, Sheet]) -> None:
        self.s, self.plan, self.sheets = spending, spending.plan, sheets
        signed = {each.group.sample.offer for each in spending.signed}
        self.lines = [
            _Line(line.component, line.cause, self._kind(line.component, line.cause, signed),
                  f"factor_{number}", line.amount, line.present_value)
            for number, line in enumerate(self.plan.ledger, start=1)
        ]  # fmt: skip
        self.paid: dict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
        for day, component, cause, amount in spending.bill:
            self.paid[day, component, cause] += amount
        self.last = 3 + len(self.paid)
        """Last line of the sheet Bill, from 1."""

    @staticmethod
    def _kind(component: str, cause: str, signed: set[str]) -> str:
        if component in CAPITAL:
            return "bought"
        return "signed" if component == "rent" and cause in signed else "as used"

    def write(self) -> None:
        self._inputs(self.sheets["Inputs"])
        self._bill(self.sheets["Bill"])
        self._outputs(self.sheets["Outputs"])
        self._terms(self.sheets["Terms"])
        n_checks = self._checks(self.sheets["Checks"])
        self._about(self.sheets["About"], n_checks)

    # -- what may be changed -----------------------------------------------------------------------

    def _inputs(self, sheet: Sheet) -> None:
        def add(name: str, label: str, unit: str, value: Decimal | int, form: str, source: str,
                *, fixed: bool = False) -> None:  # fmt: skip
            write_input(sheet, Input(Named(name, float(value)), label, unit, form, source, fixed))

        sheet.title("Inputs", "blue on yellow may be changed; all else follows")
        heads = ("money and time", "unit", "value", "as exported", "changed", "source")
        sheet.heading(*heads, right=2, until=4)
        first = sheet.line + 1
        add("discount_rate", "Discount rate", "a year, effective", self.s.rate, "rate",
            "the schedule")  # fmt: skip
        day = (self.plan.first_day - DAY_ZERO).days
        add("first_day", "First day", "date", day, "date", "the schedule", fixed=True)
        add("days_in_year", "Days in a year", "days", DAYS_IN_YEAR, "number", "convention",
            fixed=True)  # fmt: skip
        add("tolerance", "Tolerance of checks", "share", TOLERANCE, "number", "convention",
            fixed=True)  # fmt: skip
        sheet.line += 1
        sheet.heading("prices, as a factor of today's", *heads[1:], right=2, until=4)
        for line in self.lines:
            add(line.factor, f"{line.component} of {line.cause}", "x the price", 1, "factor",
                f"{line.kind}; 1: the price of the plan")  # fmt: skip
        if self.s.signed:
            sheet.line += 1
            sheet.heading("terms against the hour", *heads[1:], right=2, until=4)
        for number, each in enumerate(self.s.signed, start=1):
            add(f"use_{number}", f"Use of term {number}", "share of its hours", each.use, "share",
                "the plan")  # fmt: skip
            if each.by_hour is not None:
                offer = each.by_hour.listing.offer
                add(f"by_hour_{number}", f"The same node as term {number}, by the hour",
                    f"{self.plan.currency}/node-hour", each.by_hour.per_hour, "price",
                    f"{each.by_hour.name}, seen on {offer.observed_at}")  # fmt: skip
        sheet.line += 1
        sheet.text(0, "Inputs changed", **STRONG)
        sheet.cached(4, f"=SUM(E{first}:E{sheet.line})", 0.0, "count", **STRONG)
        sheet.name_cell("inputs_changed", 4)
        _widths(sheet, 60, 20, 16, 16, 10, 60)

    # -- the bill ----------------------------------------------------------------------------------

    def _bill(self, sheet: Sheet) -> None:
        sheet.text(0, "Every payment of the plan", **STRONG)
        sheet.line = 2
        sheet.heading("day", "month", "cost of", "paid for", "kind", "as planned",
                      "x price factor", "paid", "days from the first", "present value",
                      right=5, until=9)  # fmt: skip
        by_name = {(line.component, line.cause): line for line in self.lines}
        for (day, component, cause), amount in self.paid.items():
            line, here = by_name[component, cause], sheet.line + 1
            days = (day - self.plan.first_day).days
            sheet.number(0, (day - DAY_ZERO).days, "date")
            for column, words in enumerate((self._month(day), component, cause, line.kind), 1):
                sheet.text(column, words)
            sheet.number(5, float(amount), "amount")
            sheet.cached(6, f"={line.factor}", 1.0, "factor")
            sheet.cached(7, f"=F{here}*G{here}", float(amount), "amount")
            sheet.cached(8, f"=A{here}-first_day", float(days), "count")
            worth = float(amount * discount_factor(self.s.rate, days))
            formula = f"=H{here}*(1+discount_rate)^(-I{here}/days_in_year)"
            sheet.cached(9, formula, worth, "amount")
            sheet.line += 1
        sheet.page.freeze_panes(3, 0)
        _widths(sheet, 12, 10, 14, 48, 10, 14, 14, 14, 12, 14)

    def _month(self, day: date) -> str:
        """As the plan's cash flow calls it."""
        months = dict(self.plan.cash_flow)
        return f"{day:%Y-%m}" if f"{day:%Y-%m}" in months and self._inside(day) else "after"

    def _inside(self, day: date) -> bool:
        return (day - self.plan.first_day).days < self.plan.n_days

    def _range(self, column: str) -> str:
        return f"Bill!${column}$4:${column}${max(4, self.last)}"

    def _sum_if(self, column: str, what: str, of: str = "H") -> str:
        """Of the payments whose column equals a cell."""
        return f"SUMIF({self._range(column)},{what},{self._range(of)})"

    # -- what follows ------------------------------------------------------------------------------

    def _outputs(self, sheet: Sheet) -> None:
        money = self.plan.currency
        sheet.title("Answers", f"in {money}; costs positive")
        sheet.heading("answer", "unit", "value", right=2, until=2)

        def answer(name: str, label: str, formula: str, value: Decimal) -> None:
            sheet.text(0, label, **(STRONG if name == "total" else {}))
            sheet.text(1, money, **QUIET)
            sheet.cached(2, formula, float(value), "amount", **STRONG)
            sheet.name_cell(f"out_{name}", 2)
            sheet.line += 1

        answer("total", "Cost of the plan, undiscounted", f"=SUM({self._range('H')})",
               self.plan.total)  # fmt: skip
        answer("present_value", "Present value", f"=SUM({self._range('J')})", self.plan.npv)
        for name, label, kind, value in (
            ("committed", "Owed once the terms are signed", "signed", self.s.committed),
            ("bought_net", "Purchases less resale", "bought", self.s.bought),
            ("by_use", "Paid as used", "as used", self.s.by_use),
        ):
            answer(name, label, "=" + self._sum_if("E", f'"{kind}"'), value)
        sheet.line += 1
        sheet.heading("by month", "", "paid", "so far", right=2, until=3)
        so_far, first = Decimal(0), sheet.line + 1
        for month, paid in self.plan.cash_flow:
            here, so_far = sheet.line + 1, so_far + paid
            sheet.text(0, month)
            sheet.cached(2, f"={self._sum_if('B', f'A{here}')}", float(paid), "amount")
            sheet.cached(3, f"=SUM(C${first}:C{here})", float(so_far), "amount")
            sheet.line += 1
        self.months = (first, sheet.line)
        sheet.line += 1
        sheet.heading("by line of the bill", "paid for", "paid", "present value", right=2, until=3)
        for line in self.lines:
            here = sheet.line + 1
            sheet.text(0, line.component)
            sheet.text(1, line.cause)
            for column, of, value in ((2, "H", line.amount), (3, "J", line.present_value)):
                formula = (
                    f"=SUMPRODUCT(({self._range('C')}=A{here})*({self._range('D')}=B{here})"
                    f"*{self._range(of)})"
                )
                sheet.cached(column, formula, float(value), "amount")
            sheet.line += 1
        _widths(sheet, 40, 48, 18, 18)

    def _terms(self, sheet: Sheet) -> None:
        sheet.title("Terms to sign", "each against renting the hours it is used by the hour")
        if not self.s.signed:
            sheet.text(0, "The plan signs for no term.")
        else:
            sheet.heading("term", "offer", "as planned", "x price factor", "cost", "node-hours",
                          "use", "by the hour", "cost by the hour", "term saves",
                          "break-even use", right=2, until=10)  # fmt: skip
        for number, each in enumerate(self.s.signed, start=1):
            self._term(sheet, number, each)
        _widths(sheet, 28, 48, 16, 14, 16, 14, 12, 14, 18, 16, 16)

    def _term(self, sheet: Sheet, number: int, each: Commitment) -> None:
        here, sample = sheet.line + 1, each.group.sample
        line = next(line for line in self.lines
                    if (line.component, line.cause) == ("rent", sample.offer))  # fmt: skip
        sheet.text(0, f"{number}: {each.group.nodes[1]} x {sample.node}")
        sheet.text(1, sample.offer)
        sheet.number(2, float(each.cost), "amount")
        sheet.cached(3, f"={line.factor}", 1.0, "factor")
        sheet.cached(4, f"=C{here}*D{here}", float(each.cost), "amount")
        sheet.number(5, float(each.paid_hours), "count")
        sheet.cached(6, f"=use_{number}", float(each.use), "share")
        if each.by_hour is None or each.saves is None or each.even_use is None:
            sheet.text(7, "not on offer", **QUIET)
        else:
            by_hour = each.used_hours * each.by_hour.per_hour
            for column, formula, value, form in (
                (7, f"=by_hour_{number}", each.by_hour.per_hour, "price"),
                (8, f"=F{here}*G{here}*H{here}", by_hour, "amount"),
                (9, f"=I{here}-E{here}", each.saves, "amount"),
                (10, f"=E{here}/(F{here}*H{here})", each.even_use, "share"),
            ):
                sheet.cached(column, formula, float(value), form)
            sheet.name_cell(f"out_saves_{number}", 9)
            sheet.name_cell(f"out_even_use_{number}", 10)
        sheet.line += 1

    # -- does it hold ------------------------------------------------------------------------------

    def _checks(self, sheet: Sheet) -> int:
        sheet.title("Checks", "0 in the last column: holds within a millionth")
        sheet.heading("what must hold", "one figure", "the other", "fails", right=1, until=3)
        first, (begin, end) = sheet.line + 1, self.months
        total = float(self.plan.total)
        laws: list[tuple[str, str, str | float, float, bool]] = [
            ("the months add up to the cost of the plan", "=out_total",
             f"=SUM(Outputs!C{begin}:C{max(begin, end)})", total, False),
            ("signed, bought and as used add up to it", "=out_total",
             "=out_committed+out_bought_net+out_by_use", total, False),
            ("the total is rentopt's, while no input is changed", "=out_total", total, total, True),
            ("so is the present value", "=out_present_value", float(self.plan.npv),
             float(self.plan.npv), True),
        ]  # fmt: skip
        for title, one, other, value, exported in laws:
            here = sheet.line + 1
            sheet.text(0, title)
            sheet.cached(1, one, value, "amount")
            if isinstance(other, str):
                sheet.cached(2, other, value, "amount")
            else:
                sheet.number(2, other, "amount")
            near = f"IF(ABS(B{here}-C{here})<=tolerance*MAX(1,ABS(B{here})),0,1)"
            fails = f"IF(inputs_changed>0,0,{near})" if exported else near
            sheet.cached(3, f"={fails}", 0.0, "count", **STRONG)
            sheet.line += 1
        sheet.line += 1
        sheet.text(0, "Checks that fail", **STRONG)
        sheet.cached(3, f"=SUM(D{first}:D{sheet.line - 1})", 0.0, "count", **STRONG)
        sheet.name_cell("checks_failed", 3)
        _widths(sheet, 56, 18, 18, 10)
        return len(laws)

    def _about(self, sheet: Sheet, n_checks: int) -> None:
        sheet.title(f"Spending plan: {self.plan.name}",
                    "decision support, not tax or accounting advice")  # fmt: skip
        sheet.text(0, "All checks", **STRONG)
        sheet.cached(1, '=IF(checks_failed=0,"OK","FAILED: see Checks")', "OK", "number",
                     align="right", **STRONG)  # fmt: skip
        sheet.name_cell("master_check", 1)
        sheet.text(2, f"{n_checks} of them", **REMARK)
        sheet.line += 1
        sheet.text(0, "Inputs changed since the export")
        sheet.cached(1, "=inputs_changed", 0.0, "count", align="right")
        sheet.line += 2
        sheet.heading("the decision", "", "")
        say = SpendingSayings(self.s, Words(Lang.EN, self.plan.currency))
        for words in (f"{say.asked()} {say.verdict()}.", *say.because()):
            sheet.wrapped(words, 3)
        sheet.line += 1
        sheet.heading("answer", "", "")
        for name, label, value in (
            ("total", "Cost of the plan", self.plan.total),
            ("present_value", "Present value", self.plan.npv),
            ("committed", "Owed once the terms are signed", self.s.committed),
            ("bought_net", "Purchases less resale", self.s.bought),
            ("by_use", "Paid as used", self.s.by_use),
        ):
            sheet.text(0, label)
            sheet.cached(1, f"=out_{name}", float(value), "amount")
            sheet.text(2, self.plan.currency, **REMARK)
            sheet.line += 1
        sheet.line += 1
        sheet.text(0, "blue on yellow: an input, to be changed", **INPUT)
        sheet.line += 2
        sheet.heading("where it comes from", "", "")
        for label, origin in origin_lines(self.plan):
            sheet.text(0, label)
            sheet.text(1, origin)
            sheet.line += 1
        sheet.page.fit_to_pages(1, 1)
        _widths(sheet, 46, 24, 70)


def _widths(sheet: Sheet, *widths: int) -> None:
    for column, width in enumerate(widths):
        sheet.page.set_column(column, column, width)
