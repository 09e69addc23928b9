"""The sheet Checks: what must hold, whatever is typed in, and what held when it was exported."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.review.workbook.answers import CashFlow, timing_row
from optimizer.review.workbook.formula import (
    FIRST,
    Expr,
    Literal,
    Named,
    Row,
    Value,
    call,
    column_name,
)
from optimizer.review.workbook.inputs import Place
from optimizer.review.workbook.model import Model
from optimizer.review.workbook.outcomes import Outcome
from optimizer.review.workbook.sheet import Sheet
from optimizer.review.workbook.styles import QUIET, STRONG

WORDS = {"never": "never", "never_used": "never used", "nothing_invested": "nothing invested",
         "always": "always", "no_sign_change": "none: one way only",
         "several_rates": "none: several rates"}  # fmt: skip
"""Code of a figure that does not exist → what its cell says."""


@dataclass(frozen=True, slots=True)
class Check:
    title: str
    left: Expr
    right: Expr


def write_checks(
    sheet: Sheet,
    model: Model,
    flow: CashFlow,
    found: list[Outcome],
    quoted: list[tuple[str, Expr, Named]],
) -> list[Check]:
    """Write all checks; the name ``checks_failed`` counts those that do not hold."""
    always = list(_laws(model, flow))
    sheet.title("Checks", "0 in the last column: holds, within the tolerance on Inputs")
    sheet.heading("what must hold, whatever the inputs", "one figure", "the other", "difference",
                  "fails", right=1, until=4)  # fmt: skip
    first = sheet.line + 1
    for check in always:
        _write(sheet, model, check, exported=False)
    sheet.line += 1
    sheet.heading("the export itself (not compared once an input is changed)", "this workbook",
                  "rentopt", "difference", "fails", right=1, until=4)  # fmt: skip
    exported = [Check(title, cell, place) for title, place, cell in quoted]
    for outcome in found:
        answer = model[outcome.name]
        if outcome.value is None:
            right: Value = WORDS[outcome.metric.code]
        else:
            right = float(outcome.value)
        exported.append(Check(outcome.title, answer, Place("", right)))
    for check in exported:
        _write(sheet, model, check, exported=True)
    sheet.line += 1
    sheet.text(0, "Checks that fail", **STRONG)
    sheet.cached(4, f"=SUM(E{first}:E{sheet.line - 1})", 0.0, "count", **STRONG)
    sheet.name_cell("checks_failed", 4)
    model.named("checks_failed", 0.0)
    for column, width in enumerate((64, 20, 20, 16, 8)):
        sheet.page.set_column(column, column, width)
    sheet.page.freeze_panes(3, 1)
    return always + exported


def _write(sheet: Sheet, model: Model, check: Check, *, exported: bool) -> None:
    here = sheet.line + 1
    sheet.text(0, check.title)
    left = Place(f"B{here}", sheet.formula(1, check.left, "number"))
    right = check.right
    if isinstance(right, Place) and not right.address:  # what Python found, as a plain figure
        if isinstance(right.content, str):
            sheet.text(2, right.content, align="right")
        else:
            sheet.number(2, right.content, "number")
        right = Place(f"C{here}", right.content)
    else:
        right = Place(f"C{here}", sheet.formula(2, right, "number"))
    numbers = call("AND", call("ISNUMBER", left), call("ISNUMBER", right))
    apart = call("IF", numbers, left - right, call("IF", left.equals(right), 0, 1))
    difference = Place(f"D{here}", sheet.formula(3, apart, "number", **QUIET))
    size = call("IF", call("ISNUMBER", left), call("ABS", left), 1)
    near = call("ABS", difference) <= model["tolerance"] * call("MAX", 1, size)
    fails = call("IF", near, 0, 1)
    if exported:
        fails = call("IF", model["inputs_changed"] > 0, 0, fails)
    failed = sheet.formula(4, fails, "count", **STRONG)
    if failed:
        raise AssertionError(f"{check.title}: {check.left.value(0)} is not {right.value(0)}")
    sheet.line += 1


def _laws(m: Model, flow: CashFlow) -> list[Check]:
    end = timing_row(m, "Ends on day")
    start = timing_row(m, "Starts on day")
    costs = ("purchase", "maintenance", "hosting", "idle", "busy", "resale")
    pieces = call("SUM", *(m[f"pv_{name}"] for name in costs))
    return [
        Check("NPV = NPV of buying - NPV of renting", m["npv"], m["npv_buy"] - m["npv_rent"]),
        Check("NPV from the closed form", m["npv"], m["pv_worth"] * _rent(m) - pieces),
        Check("the sum at present value ends at NPV", m["npv"], _last(flow)),
        Check("costs of buying add up", m["pv_buy"], pieces),
        Check("undiscounted: saving = renting - buying", m["saving"],
              call("SUM", *(call("SUM", lot.rent.all) for lot in m.lots)) - m["total_buy"]),
        Check("rate of return put back: NPV is 0", m["irr_left"] / call("MAX", 1, m["capex"]),
              Literal(0)),
        Check("break-even price put back: NPV is 0", _put_back_rent(m), Literal(0)),
        Check("break-even utilisation put back: NPV is 0", _put_back_use(m), Literal(0)),
        Check("break-even purchase price put back: NPV is 0", _put_back_price(m), Literal(0)),
        Check("the horizon fits into the periods", call("MAX", end.all), m["horizon_days"]),
        Check("periods cover each day once", call("SUM", end.all) - call("SUM", start.all),
              m["horizon_days"]),
        Check("every purchase is paid once",
              call("SUM", *(call("SUM", lot.bought.all) for lot in m.lots)), _count(m)),
        Check("every purchase is sold once",
              call("SUM", *(call("SUM", lot.sale.all) for lot in m.lots)), _count(m)),
        Check("paid, then usable, then sold, for each purchase",
              call("SUM", *(_in_order(lot.cells) for lot in m.lots)), _count(m)),
        Check("no more GPU-hours are delivered than there are",
              call("MAX", 0, m["pv_hours"] - m["pv_owned"]), Literal(0)),
        Check("without a tax rate, NPV after tax is NPV",
              call("IF", m["tax_rate"].equals(0), m["npv_after_tax"], m["npv"]), m["npv"]),
        Check("tax paid is the tax on the profit", _tax(m, "Tax paid"), _tax(m, "Tax on it")),
    ]  # fmt: skip


def _count(m: Model) -> Expr:
    """Number of purchases, as cells that are there."""
    return call("COUNT", *(lot.cells["nodes"] for lot in m.lots))


def _rent(m: Model) -> Expr:
    """Mean rental price, by discounted hours; today's where nothing is used."""
    return call("IF", m["pv_worth"] > 0, m["pv_rent"] / m["pv_worth"], 0)


def _last(flow: CashFlow) -> Expr:
    """The last cell of a cumulative row, as the sum of what it adds up."""
    row = flow.worth_so_far
    last = column_name(FIRST + len(row.values) - 1)
    return Place(f"Outputs!{last}{row.line + 1}", row.values[-1])


def _put_back_rent(m: Model) -> Expr:
    even = m["break_even_rent"]
    npv = call("IF", call("ISNUMBER", even), even * m["pv_worth"] - m["pv_buy"], 0)
    return npv / call("MAX", 1, m["capex"])


def _put_back_use(m: Model) -> Expr:
    raw = m["break_even_use_raw"]
    factor = raw / m["utilisation"]
    moves = m["pv_rent"] - m["pv_busy"]
    npv = factor * moves - (m["pv_buy"] - m["pv_busy"])
    return call("IF", call("ISNUMBER", raw), npv / call("MAX", 1, m["capex"]), 0)


def _put_back_price(m: Model) -> Expr:
    even = m["break_even_price"]
    priced = call("SUM", m["pv_purchase"], m["pv_maintenance"], m["pv_resale"])
    other = call("SUM", m["pv_hosting"], m["pv_idle"], m["pv_busy"])
    npv = m["pv_rent"] - other - even * priced
    return call("IF", call("ISNUMBER", even), npv / call("MAX", 1, m["capex"]), 0)


def _in_order(cells: dict[str, Named]) -> Expr:
    good = call("AND", cells["paid"] <= cells["usable"], cells["usable"] < cells["sold"])
    return call("IF", good, 1, 0)


def _tax(m: Model, label: str) -> Expr:
    rows = (row for row in m.rows["Calc_Tax"] if isinstance(row, Row))
    return call("SUM", next(row for row in rows if row.label == label).all)
