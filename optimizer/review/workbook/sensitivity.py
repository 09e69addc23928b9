"""The sheet Sensitivity: one assumption at a time, and utilisation against rental price."""

from __future__ import annotations

from decimal import Decimal

from optimizer.review.workbook.answers import CashFlow, timing_row
from optimizer.review.workbook.formula import Expr, call, column_name
from optimizer.review.workbook.inputs import Place
from optimizer.review.workbook.model import Model
from optimizer.review.workbook.sheet import Sheet
from optimizer.review.workbook.styles import INPUT, QUIET, STRONG

LOW, HIGH = Decimal("0.8"), Decimal("1.2")
"""One fifth either way, for want of ranges seen; a reader types in better ones."""
USES = tuple(Decimal(n) / 10 for n in range(4, 16, 2))
PRICES = tuple(Decimal(n) / 10 for n in range(6, 16, 2))


def write_sensitivity(sheet: Sheet, model: Model, flow: CashFlow) -> None:
    m = model
    sheet.title(
        "Sensitivity", "NPV of buying less renting; factors of the inputs, blue ones may be changed"
    )
    sheet.heading("one at a time (±20 %: no data)", "low", "high", "NPV at low", "NPV at high",
                  "between them", "NPV is 0 at", "answer changes", right=1, until=7)  # fmt: skip
    lines = _effects(m, flow)
    reach = {label: abs(_swing(effect)) for label, effect in lines}
    for label, effect in sorted(lines, key=lambda line: -reach[line[0]]):
        _one(sheet, m, label, effect)
    _rate(sheet, m, flow)
    sheet.line += 1
    _grid(sheet, m)
    sheet.page.set_column(0, 0, 40)
    sheet.page.set_column(1, 8, 15)
    sheet.page.freeze_panes(3, 1)


def _effects(m: Model, flow: CashFlow) -> list[tuple[str, Expr]]:
    """What NPV gains when an input is doubled: NPV is linear in each of these."""
    priced = call("SUM", m["pv_purchase"], m["pv_maintenance"], m["pv_resale"])
    return [
        ("rental price", m["pv_rent"] * 1),
        ("utilisation", m["pv_rent"] - m["pv_busy"]),
        ("purchase price, with resale and maintenance", -priced),
        ("resale", -m["pv_resale"]),
        ("electricity", -(m["pv_idle"] + m["pv_busy"])),
        ("hosting and maintenance", -(m["pv_hosting"] + m["pv_maintenance"])),
    ]


def _swing(effect: Expr) -> float:
    return float(effect.value(0))


def _factors(sheet: Sheet) -> tuple[Place, Place]:
    for column, factor in ((1, LOW), (2, HIGH)):
        sheet.number(column, float(factor), "price", locked=False, **INPUT)
    here = sheet.line + 1
    return Place(f"B{here}", float(LOW)), Place(f"C{here}", float(HIGH))


def _one(sheet: Sheet, m: Model, label: str, effect: Expr) -> None:
    sheet.text(0, label)
    low, high = _factors(sheet)
    _ends(sheet, m, *(m["npv"] + (factor - 1) * effect for factor in (low, high)))
    even = call("IF", call("ABS", effect) > 0, 1 - m["npv"] / effect, "never")
    sheet.formula(6, even, "price", align="right")
    sheet.line += 1


def _ends(sheet: Sheet, m: Model, at_low: Expr, at_high: Expr) -> None:
    here = sheet.line + 1
    low = Place(f"D{here}", sheet.formula(3, at_low, "amount"))
    high = Place(f"E{here}", sheet.formula(4, at_high, "amount"))
    sheet.formula(5, call("ABS", high - low), "amount", **STRONG)
    flips = call("OR", low * m["npv"] < 0, high * m["npv"] < 0)
    sheet.formula(7, call("IF", flips, "yes", "no"), "number", align="right")


def _rate(sheet: Sheet, m: Model, flow: CashFlow) -> None:
    """Not linear: every flow is discounted again."""
    sheet.text(0, "discount rate")
    low, high = _factors(sheet)
    years = timing_row(m, "Ends on day").all / m["days_in_year"]

    def at(factor: Place) -> Expr:
        return call("SUMPRODUCT", flow.net.all / (1 + m["discount_rate"] * factor) ** years)

    _ends(sheet, m, at(low), at(high))
    sheet.line += 1


def _grid(sheet: Sheet, m: Model) -> None:
    """One formula for the whole table: NPV is bilinear in use and rental price."""
    sheet.heading("utilisation (down) and rental price (across)", "factor", "utilisation",
                  *[""] * len(PRICES), right=1, until=2)  # fmt: skip
    sheet.text(0, "factor of rental prices", **QUIET)
    top = sheet.line
    for column, price in enumerate(PRICES, start=3):
        sheet.number(column, float(price), "price", locked=False, **INPUT)
    sheet.line += 1
    sheet.text(0, "mean rental price of a GPU-hour", **QUIET)
    mean = call("IF", m["pv_worth"] > 0, m["pv_rent"] / m["pv_worth"], 0)
    for column, price in enumerate(PRICES, start=3):
        above = Place(f"{column_name(column)}${top + 1}", float(price))
        sheet.formula(column, mean * above, "price", **STRONG)
    sheet.line += 1
    fixed = m["pv_buy"] - m["pv_busy"]
    for use in USES:
        here = sheet.line + 1
        sheet.number(1, float(use), "price", locked=False, **INPUT)
        factor = Place(f"$B{here}", float(use))
        sheet.formula(2, m["utilisation"] * factor, "share", **STRONG)
        for column, price in enumerate(PRICES, start=3):
            above = Place(f"{column_name(column)}${top + 1}", float(price))
            npv = factor * (above * m["pv_rent"] - m["pv_busy"]) - fixed
            sheet.formula(column, npv, "amount")
        sheet.line += 1
    sheet.text(0, "above 100 % of all hours a row is arithmetic only", **QUIET)
    sheet.line += 1
