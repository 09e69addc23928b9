"""The workbook's arithmetic: inputs, rows by month, and the answers, as formulas with values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.workbook.formula import Expr, Named, Row, Term, Value, call
from optimizer.review.workbook.question import HOURS_IN_DAY, Lot, Question

SPARE_MONTHS = 12
"""Periods past the horizon, so that a longer one can be typed in."""
TOLERANCE = 1e-6
DAY_ZERO = date(1899, 12, 30)
"""Day 0 of spreadsheets' dates."""


@dataclass(eq=False)
class Input:
    """A cell that a reader may change."""

    cell: Named
    label: str
    unit: str
    form: str
    """amount, price, share, count, date …: how it looks, and what may be typed."""
    source: str
    fixed: bool = False
    """A constant of the calendar: shown, not changed."""


@dataclass(eq=False)
class Answer:
    """A cell of the Outputs sheet with a name."""

    name: str
    cell: Named
    label: str
    unit: str
    expr: Expr
    form: str
    meaning: str = ""


@dataclass(eq=False)
class LotRows:
    """The months of one purchase."""

    lot: Lot
    cells: dict[str, Named]
    owned: Row
    bought: Row
    started: Row
    purchase: Row
    maintenance: Row
    hosting: Row
    idle: Row
    busy: Row
    sale: Row
    resale: Row
    hours: Row
    worth: Row
    rent: Row
    deductions: Row
    gain: Row


@dataclass(eq=False)
class Model:
    """Everything in a workbook that is worked out."""

    question: Question
    periods: int
    inputs: dict[str, list[Input]] = field(default_factory=dict)
    """Heading → cells."""
    rows: dict[str, list[Row | str]] = field(default_factory=dict)
    """Sheet → rows and headings between them."""
    answers: list[Answer] = field(default_factory=list)
    blocks: list[Answer] = field(default_factory=list)
    """Present values that answers and sensitivities are made of."""
    lots: list[LotRows] = field(default_factory=list)
    names: dict[str, Named] = field(default_factory=dict)

    def row(
        self, sheet: str, label: str, unit: str, expr: Expr, *, opening: Value = None,
        summed: bool = False, form: str = "amount",
    ) -> Row:  # fmt: skip
        """A row at the end of a sheet, worked out at once: it may look left and up, not down."""
        made = Row(sheet, label, unit, expr, opening, summed, form)
        self.add(made)
        return made

    def add(self, made: Row) -> None:
        self.rows.setdefault(made.sheet, []).append(made)
        made.work_out(self.periods)

    def heading(self, sheet: str, words: str) -> None:
        self.rows.setdefault(sheet, []).append(words)

    def named(self, name: str, value: Value, prefix: str = "") -> Named:
        if name in self.names:
            raise ValueError(f"two cells are called {name}")
        self.names[name] = Named(f"{prefix}{name}", value)
        return self.names[name]

    def __getitem__(self, name: str) -> Named:
        return self.names[name]

    def answer(
        self, name: str, label: str, unit: str, expr: Expr, form: str = "amount", meaning: str = "",
        *, block: bool = False,
    ) -> Named:  # fmt: skip
        # Answers are called out_npv and so on: NPV alone is a function.
        cell = self.named(name, expr.value(0), "" if block else "out_")
        found = Answer(name, cell, label, unit, expr, form, meaning)
        (self.blocks if block else self.answers).append(found)
        return cell


def make_model(question: Question) -> Model:
    days_in_month = DAYS_IN_YEAR / MONTHS_IN_YEAR
    periods = 1 + math.ceil(question.days / days_in_month) + SPARE_MONTHS
    model = Model(question, periods)
    _general(model)
    timing = _timing(model)
    for number, lot in enumerate(question.lots, start=1):
        cells = _lot_inputs(model, number, lot)
        model.lots.append(_lot_rows(model, timing, number, lot, cells))
    return model


# -- inputs ------------------------------------------------------------------------------------


def _input(
    model: Model, heading: str, name: str, label: str, unit: str, value: Decimal | int | float,
    form: str, source: str, *, fixed: bool = False,
) -> Named:  # fmt: skip
    cell = model.named(name, float(value))
    made = Input(cell, label, unit, form, source, fixed)
    model.inputs.setdefault(heading, []).append(made)
    return cell


def _general(model: Model) -> None:
    q, money = model.question, "Money and time"
    schedule = "the schedule"

    def add(name: str, label: str, unit: str, value: Decimal | int, form: str, src: str) -> None:
        _input(model, money, name, label, unit, value, form, src)

    add("discount_rate", "Discount rate", "a year, effective", q.rate, "rate", schedule)
    first = (q.first_day - DAY_ZERO).days
    add("first_day", "First day of the horizon", "date", first, "date", schedule)
    add("horizon_days", "Horizon", "days", q.days, "count", schedule)
    rent_words = "none assumed; a flat price favours buying where prices fall"
    add("rent_change", "Change of rental prices", "a year", q.rent_change, "change", rent_words)
    add("electricity", "Electricity, mean of the day", f"{q.currency}/kWh", q.tariff, "price",
        schedule)  # fmt: skip
    add("pue", "Power usage effectiveness", "factor", q.pue, "factor", schedule)
    add("resale_cost", "Cost of a sale", "share of its price", q.resale_cost, "share", schedule)
    tax, off = "Taxes (off while the rate is 0)", "not set: taxes are off"
    example = "shortest straight-line life of several countries; counts only with a tax rate"
    at_once, floor = "not set; 1 for rules that deduct all at once", "not set"
    if q.tax_rule:
        off, example, at_once, floor = schedule, q.tax_rule, q.tax_rule, q.tax_rule
    _input(model, tax, "tax_rate", "Tax rate", "share of profit", q.tax_rate, "share", off)
    _input(model, tax, "tax_life", "Years of straight-line deductions", "years", q.tax_life,
           "years", example)  # fmt: skip
    _input(model, tax, "tax_at_once", "Deducted in the month of first use", "share of the price",
           q.tax_at_once, "share", at_once)  # fmt: skip
    _input(model, tax, "tax_floor", "Never deducted before a sale", "share of the rest",
           q.tax_floor, "share", floor)  # fmt: skip
    calendar = "Constants"
    for name, label, unit, value in (
        ("days_in_year", "Days in a year", "days", DAYS_IN_YEAR),
        ("months_in_year", "Months in a year", "months", MONTHS_IN_YEAR),
        ("hours_in_day", "Hours in a day", "hours", HOURS_IN_DAY),
        ("tolerance", "Tolerance of checks", "share", TOLERANCE),
    ):
        _input(model, calendar, name, label, unit, value, "number", "convention", fixed=True)


def _lot_inputs(model: Model, number: int, lot: Lot) -> dict[str, Named]:
    money = model.question.currency
    heading = f"Purchase {number}: {lot.nodes} x {lot.node}"
    plan = "the plan" if model.question.planned else "one node, for comparison"
    schedule = "the schedule"
    price = f"{lot.price_source}; quoted {lot.price_quoted}"
    rent = f"{lot.quote.name}; {lot.quote.quoted}, seen on {lot.quote.observed_at} (Prices)"
    lines: tuple[tuple[str, str, str, Decimal | int, str, str], ...] = (
        ("nodes", "Nodes", "nodes", lot.nodes, "count", plan),
        ("gpus", "GPUs of a node", "GPUs", lot.gpus, "count", "hardware table"),
        ("price", "Price of a node", f"{money}/node", lot.price, "amount", price),
        ("paid", "Paid on day", "day of the horizon", lot.paid, "count", plan),
        ("usable", "Usable from day", "day of the horizon", lot.usable, "count", plan),
        ("sold", "Sold at the end of day", "day of the horizon", lot.sold, "count", plan),
        ("resale", "Resale at that age", "share of the price", lot.residual, "share", schedule),
        ("maintenance", "Maintenance", "share of the price a year", lot.maintenance, "share",
         schedule),
        ("hosting", "Hosting", f"{money}/node-month", lot.hosting, "amount", schedule),
        ("busy_kw", "Power of a busy node", "kW, before PUE", lot.busy_kw, "price", schedule),
        ("idle_kw", "Power of an idle node", "kW, before PUE", lot.idle_kw, "price", schedule),
        ("use", "Utilisation", "share of the time owned", lot.use, "share",
         "the plan's use of such a node, counted as the rental is paid for"),
        ("rent", "Rental price", f"{money}/GPU-hour", lot.rent, "price", rent),
    )  # fmt: skip
    return {
        name: _input(model, heading, f"{name}_{number}", label, unit, value, form, source)
        for name, label, unit, value, form, source in lines
    }


# -- months ------------------------------------------------------------------------------------


@dataclass(eq=False)
class Timing:
    period: Row
    start: Row
    end: Row
    factor: Row
    rent_level: Row


def _timing(model: Model) -> Timing:
    sheet = "Timing"
    m = model

    def add(label: str, unit: str, expr: Expr, form: str, opening: Value = None) -> Row:
        return m.row(sheet, label, unit, expr, form=form, opening=opening)

    period = Row(sheet, "Period", "number", m["days_in_year"], -1.0, form="count")
    period.expr = period.before + 1
    m.add(period)
    end = Row(sheet, "Ends on day", "days", m["days_in_year"], 0.0, form="days")
    end.expr = call(
        "MIN", m["horizon_days"], period.now * m["days_in_year"] / m["months_in_year"]
    )  # fmt: skip
    m.add(end)
    start = add("Starts on day", "days", end.before, "days")
    add("Length", "days", end.now - start.now, "days")
    add("Date of its end", "date", m["first_day"] + end.now, "date")
    years = -end.now / m["days_in_year"]
    factor = add("Discount factor", "factor", (1 + m["discount_rate"]) ** years, "factor")
    ago = start.now / m["days_in_year"]
    level = add("Level of rental prices", "factor", (1 + m["rent_change"]) ** ago, "factor")
    return Timing(period, start, end, factor, level)


def _lot_rows(model: Model, timing: Timing, number: int, lot: Lot, c: dict[str, Named]) -> LotRows:
    m, money = model, model.question.currency
    buy, rent_sheet, tax = "Calc_Buy", "Calc_Rent", "Calc_Tax"
    words = f"Purchase {number}: {lot.nodes} x {lot.node}"
    for sheet in (buy, rent_sheet, tax):
        m.heading(sheet, words)

    def flow(sheet: str, label: str, expr: Expr, unit: str = money) -> Row:
        return m.row(sheet, label, unit, expr, summed=True)

    start, end = timing.start.now, timing.end.now
    sold = call("MIN", c["sold"], m["horizon_days"])
    owned = m.row(
        buy, "Owned and usable", "days",
        call("MAX", 0, call("MIN", end, sold) - call("MAX", start, c["usable"])),
        summed=True, form="days",
    )  # fmt: skip
    following = (timing.period.now + 1) * m["days_in_year"] / m["months_in_year"]
    twice = c["paid"] + c["paid"]
    near = end + call("MIN", m["horizon_days"], following)
    paid = call("IF", call("AND", start + end <= twice, twice < near), 1, 0)
    bought = m.row(buy, "Paid at this period's end", "flag", paid, summed=True, form="count")
    sale = m.row(
        buy, "Sold in this period", "flag",
        call("IF", call("AND", start < sold, sold <= end), 1, 0), summed=True, form="count",
    )  # fmt: skip
    price = c["nodes"] * c["price"]
    months = owned.now / m["days_in_year"] * m["months_in_year"]
    power = c["nodes"] * owned.now * m["hours_in_day"] * m["pue"] * m["electricity"]
    purchase = flow(buy, "Purchase", price * bought.now)
    maintenance = flow(buy, "Maintenance", price * c["maintenance"] * owned.now / m["days_in_year"])
    hosting = flow(buy, "Hosting", c["nodes"] * c["hosting"] * months)
    idle = flow(buy, "Electricity of waiting nodes", power * c["idle_kw"])
    busy = flow(buy, "Electricity that use adds", power * c["use"] * (c["busy_kw"] - c["idle_kw"]))
    resale = flow(
        buy, "Resale, less its cost (negative: comes in)",
        -(price * c["resale"] * (1 - m["resale_cost"]) * sale.now),
    )  # fmt: skip
    hours = flow(
        rent_sheet, "GPU-hours delivered",
        c["nodes"] * c["gpus"] * m["hours_in_day"] * owned.now * c["use"], "GPU-hours",
    )  # fmt: skip
    worth = flow(
        rent_sheet, "The same at the level of rental prices", hours.now * timing.rent_level.now,
        "GPU-hours",
    )  # fmt: skip
    rent = flow(rent_sheet, "Rent of the same hours", worth.now * c["rent"])
    # Deductions: a share at first use, the rest in equal parts from the month after it.
    started = Row(tax, "In use by now", "flag", m["tax_rate"], form="count")
    started.expr = call("MAX", started.before, call("IF", owned.now > 0, 1, 0))
    m.add(started)
    line = price * (1 - m["tax_at_once"]) * (1 - m["tax_floor"])
    straight = Row(tax, "Deducted in equal parts so far", money, m["tax_rate"])
    each = line * owned.before / (m["tax_life"] * m["days_in_year"])
    held = call("IF", start < sold, 1, 0)
    straight.expr = call("MIN", line, straight.before + held * each)
    m.add(straight)
    taken = m.row(
        tax, "Deducted in all so far", money,
        price * m["tax_at_once"] * started.now + straight.now,
    )  # fmt: skip
    deductions = flow(tax, "Deduction", taken.now - taken.before)
    gain = flow(
        tax, "Gain of a sale over what is left", -resale.now - (price - taken.now) * sale.now
    )
    return LotRows(
        lot, c, owned, bought, started, purchase, maintenance, hosting, idle, busy, sale, resale,
        hours, worth, rent, deductions, gain,
    )  # fmt: skip


def total(lots: list[LotRows], *fields: str) -> Expr:
    """The sum of these rows over all purchases, in one period."""
    parts: Iterator[Term] = (getattr(lot, name).now for lot in lots for name in fields)
    return call("SUM", *parts)
