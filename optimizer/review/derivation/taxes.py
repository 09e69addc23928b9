"""Taxes of a review as figures: what buying adds to profit, and the tax on it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.derivation.inputs import Inputs
from optimizer.review.derivation.months import RUNNING, LotMonths
from optimizer.review.derivation.steps import summed, worked_out
from optimizer.review.figure import Figure
from optimizer.review.workbook.outcomes import Month


class Taxes:
    """Tax more than when renting, paid after every 12 months and at the end of the schedule."""

    def __init__(self, inputs: Inputs, lots: list[LotMonths], months: list[Month]) -> None:
        self.inputs, self.lots, self.months = inputs, lots, months
        self.money = inputs.question.currency
        self.straight = cache(self._straight)

    def present_value(self) -> Figure:
        rate = self.inputs.tax("tax_rate", "tax rate").called("tax")
        if not rate.value:
            return worked_out("pv_tax", "tax, present value: taxes are off", self.money, "tax",
                              rate, symbol="pv_tax")  # fmt: skip
        last, owed, parts = len(self.months) - 1, list[int](), list[Figure]()
        for m in range(len(self.months)):
            owed.append(m)
            if m % MONTHS_IN_YEAR == 0 or m == last:
                parts.append(self._paid(rate, owed, m))
                owed = []
        return summed("pv_tax", "tax, present value", self.money, *parts, symbol="pv_tax")

    def _paid(self, rate: Figure, of: list[int], at: int) -> Figure:
        profits = [self._profit(m).called("profit") for m in of]
        on = (rate, *profits, self.lots[0].factor(at))
        formula = "tax * sum(profit) * factor"
        title = f"tax paid at the end of month {at}, present value"
        return worked_out(f"pv_tax.{at}", title, self.money, formula, *on)

    def _profit(self, m: int) -> Figure:
        """Rent spared less running costs and deductions, plus the gain of a sale."""
        on: list[Figure] = []
        for lot in self.lots:
            rent = lot.in_month("rent", m)
            on += [rent.called("rent")] if rent else []
            costs = [lot.in_month(part, m) for part in RUNNING]
            on += [cost.called("costs") for cost in costs if cost]
            on.append(self._deducted(lot, m))
            if lot.paid_month("resale") == m:
                on.append(self._gain(lot, m))
        there = dict.fromkeys(figure.symbol for figure in on)
        formula = "".join(
            f" {'-' if symbol in ('costs', 'deducted') else '+'} sum({symbol})" for symbol in there
        )
        formula = formula.strip().removeprefix("+ ")
        title = f"profit that buying adds in month {m}"
        return worked_out(f"profit.{m}", title, self.money, formula, *on)

    def _gain(self, lot: LotMonths, m: int) -> Figure:
        on = (lot.once("resale").called("resale"), self._price(lot), self._taken(lot, m))
        formula = "-resale - (price - taken)"
        title = "gain of the sale over what is left to deduct"
        return worked_out(f"gain_{lot.n}", title, self.money, formula, *on, symbol="gain")

    def _price(self, lot: LotMonths) -> Figure:
        return lot.once("purchase").called("price")

    # -- deductions ------------------------------------------------------------------------------

    def _deducted(self, lot: LotMonths, m: int) -> Figure:
        on = [self._taken(lot, m)]
        formula = "taken"
        if m:
            on.append(self._taken(lot, m - 1).called("before"))
            formula = "taken - before"
        name, title = f"deducted_{lot.n}.{m}", f"deducted in month {m}"
        return worked_out(name, title, self.money, formula, *on, symbol="deducted")

    def _taken(self, lot: LotMonths, m: int) -> Figure:
        """Deducted by the end of a month: a share at first use, the rest in equal parts."""
        on = [self.straight(lot, m)]
        formula = "straight"
        if lot.owned_months and lot.owned_months[0] <= m:
            share = self.inputs.tax("tax_at_once", "share deducted at first use")
            on += [self._price(lot), share.called("at_once")]
            formula = "price * at_once + straight"
        name, title = f"taken_{lot.n}.{m}", f"deducted by the end of month {m}"
        return worked_out(name, title, self.money, formula, *on, symbol="taken")

    def _line(self, lot: LotMonths) -> Figure:
        share = self.inputs.tax("tax_at_once", "share deducted at first use").called("at_once")
        floor = self.inputs.tax("tax_floor", "share never deducted").called("floor")
        formula = "price * (1 - at_once) * (1 - floor)"
        title = "deducted in equal parts in all"
        on = (self._price(lot), share, floor)
        return worked_out(f"line_{lot.n}", title, self.money, formula, *on, symbol="line")

    def _straight(self, lot: LotMonths, m: int) -> Figure:
        name, title = f"straight_{lot.n}.{m}", f"deducted in equal parts by the end of month {m}"
        if m == 0:
            return Figure(name, title, Decimal(0), self.money, source="nothing before first use",
                          symbol="straight")  # fmt: skip
        before = self.straight(lot, m - 1).called("before")
        held = self.months[m].start < min(lot.lot.sold, self.inputs.question.days)
        if not held or m - 1 not in lot.owned_months:
            return worked_out(name, title, self.money, "before", before, symbol="straight")
        life = self.inputs.tax("tax_life", "years of deductions", "years").called("life")
        formula = f"min(line, before + line * days / (life * {DAYS_IN_YEAR}))"
        on = (self._line(lot), before, lot.days(m - 1), life)
        return worked_out(name, title, self.money, formula, *on, symbol="straight")
