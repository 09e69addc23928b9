"""What a buyer is asked to sign for: NPV of buying less renting and the figures around it.

Each figure carries its derivation down to quoted prices; definitions and sources: docs/finance.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from typing import Any

from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.finance import returns
from optimizer.finance.rates import MONTHS_IN_YEAR, annual_rate, annuity, monthly_rate
from optimizer.finance.refusal import Metric, none
from optimizer.finance.time_value import DAYS_IN_YEAR, discount_factor
from optimizer.review.figure import Figure, How, of_metric
from optimizer.review.sides import HOURS_IN_DAY, Comparison, Side
from optimizer.review.sources import SCHEDULE, Derivation

ZERO = Decimal(0)
HUGE_RATE = Decimal(10)
"""Rates of return a year above it, 1,000 %, say little."""


def review_figures(
    comparison: Comparison, breakeven: Iterable[Mapping[str, Any]] = ()
) -> tuple[Figure, ...]:
    """All figures of a comparison; one without a value where there is nothing to compare.

    Args:
        breakeven: rows of a plan (`Plan.breakeven`), for the break-even utilisation.
    """
    rent, buy = comparison.rent, comparison.buy
    if rent is None or buy is None:
        missing = Figure("npv", "NPV of buying less renting", None, "", How.WORDS)
        return (replace(missing, code="nothing_to_compare", note=comparison.reason),)
    return _Figures(comparison, rent, buy, list(breakeven)).all()


class _Figures:
    def __init__(
        self, comparison: Comparison, rent: Side, buy: Side, breakeven: list[Mapping[str, Any]]
    ) -> None:
        self.comparison, self.rent, self.buy = comparison, rent, buy
        self.breakeven = breakeven
        self.currency = buy.problem.costs.currency
        self.rate_value = buy.rate
        self.rate = Figure(
            "discount_rate", "discount rate, a year, effective", self.rate_value, "",
            source=f"{SCHEDULE} (money.discount_rate)",
        )  # fmt: skip
        self._months: tuple[Figure, ...] = ()
        self.derived = {side.name: Derivation(side) for side in (rent, buy)}

    def all(self) -> tuple[Figure, ...]:
        found = [self.npv(), self.saving(), self.capex(), self.cash_at_risk()]
        found += [self.payback(), self.discounted_payback(), self.irr(), self.mirr()]
        for option in self.buy.options_bought:
            found += self._owning(option)
        found.append(self.rented_hour())
        return tuple(found)

    # -- buying less renting -------------------------------------------------------------------

    def npv(self) -> Figure:
        on = tuple(self.derived[name].present_value(self.rate) for name in ("rent", "buy"))
        value = self.rent.present_value - self.buy.present_value
        formula = "present value of renting all - present value of buying"
        title = "NPV of buying less renting"
        return Figure("npv", title, value, self.currency, How.DIFFERENCE, formula, on)

    def saving(self) -> Figure:
        on = tuple(self.derived[name].total() for name in ("rent", "buy"))
        value = self.rent.total - self.buy.total
        title = "saving by buying, undiscounted"
        formula = "bill of renting all - bill of buying"
        return Figure("saving", title, value, self.currency, How.DIFFERENCE, formula, on)

    def capex(self) -> Figure:
        lines = [line for line in self.buy.lines if line.component == "purchase"]
        on = tuple(self.derived["buy"].paid(line) for line in lines)
        value = sum((line.amount for line in lines), ZERO)
        return Figure("capex", "purchases", value, self.currency, How.SUM, "sum", on)

    def cash_at_risk(self) -> Figure:
        flows = self.comparison.difference()
        value = returns.peak_outlay(flows)
        reached = list(accumulate(flows))
        day = reached.index(min(reached))
        note = f"reached on {self.buy.day(day)}" if value else "nothing is out at any time"
        formula = "the most that buying has cost beyond renting at any time, net of what came back"
        return Figure(
            "cash_at_risk", "cash at risk", value, self.currency, How.WORDS, formula,
            (self.capex(), *self.months()), note=note,
        )  # fmt: skip

    def months(self) -> tuple[Figure, ...]:
        """Money that buying saves, by month; month 0 holds the purchases of the first days."""
        if not self._months:
            formula = "paid when renting - paid when buying, each day at the nearest month's end"
            self._months = tuple(
                Figure(
                    f"month.{n}", f"saved in month {n}", amount, self.currency, How.DIFFERENCE,
                    formula, tuple(self.derived[name].month(n) for name in ("rent", "buy")),
                )
                for n, amount in enumerate(self.comparison.monthly())
            )  # fmt: skip
        return self._months

    def payback(self) -> Figure:
        found = self._in_months(returns.payback(self.comparison.difference()))
        formula = "first day on which buying has cost no more than renting, in months of 30.4 days"
        return of_metric("payback", "payback", "months", found, formula, *self.months())

    def discounted_payback(self) -> Figure:
        flows = [
            amount * discount_factor(self.rate_value, day)
            for day, amount in enumerate(self.comparison.difference())
        ]
        found = self._in_months(returns.payback(flows))
        formula = "the same with each day's money at its present value"
        title = "discounted payback"
        on = (self.rate, *self.months())
        return of_metric("discounted_payback", title, "months", found, formula, *on)

    def _in_months(self, found: Metric) -> Metric:
        if found.value is None:
            if found.code != "never":
                return found
            days = len(self.comparison.difference()) - 1
            return none("never", f"not paid back within the {days} days of the plan")
        sold = max((line.sold for line in self.buy.parts.bought), default=None)
        end = None if sold is None else self.buy.problem.horizon.index(sold)
        notes = [found.reason] if found.reason else []
        if end is not None and found.value > end - 1:
            notes.append("only by the resale at the end")
        return Metric(found.value / MEAN_DAYS_IN_MONTH, reason="; ".join(notes))

    def irr(self) -> Figure:
        found = self._yearly(returns.irr(self.comparison.monthly(), MONTHS_IN_YEAR))
        formula = "rate at which the monthly savings are worth 0, as (1 + monthly) ^ 12 - 1"
        return of_metric("irr", "rate of return", "a year", found, formula, *self.months())

    def mirr(self) -> Figure:
        per_month = monthly_rate(self.rate_value)
        found = returns.mirr(self.comparison.monthly(), per_month, per_month)
        if found.value is not None:
            found = Metric(annual_rate(found.value, MONTHS_IN_YEAR))
        found = self._yearly(found)
        formula = (
            "(future value of inflows / present value of outflows) ^ (1 / months) - 1, a year; "
            "money is lent and borrowed at the discount rate"
        )
        title = "modified rate of return"
        return of_metric("mirr", title, "a year", found, formula, self.rate, *self.months())

    def _yearly(self, found: Metric) -> Metric:
        """A rate a year, with what a reader should know before taking it for one."""
        flows = self.comparison.monthly()
        if found.code == "no_sign_change" and min(flows) >= 0 and self.cash_at_risk().value:
            return none(
                found.code, "paid back within the first month: no yearly rate has a meaning"
            )
        if found.value is None:
            return found
        notes = []
        if len(flows) - 1 < MONTHS_IN_YEAR:
            notes.append(f"as if {len(flows) - 1} months repeated all year")
        if found.value > HUGE_RATE:
            notes.append("the purchase is small beside the rent it spares; read NPV and payback")
        return Metric(found.value, reason="; ".join(notes), candidates=found.candidates)

    # -- what is bought ------------------------------------------------------------------------

    def _owning(self, option: str) -> list[Figure]:
        hours, there = self._hours(option)
        use = Figure(
            f"utilisation.{option}", f"planned utilisation of {option}",
            hours.value / there.value if hours.value is not None and there.value else None, "",
            How.QUOTIENT, "delivered GPU-hours / GPU-hours owned", (hours, there),
        )  # fmt: skip
        accounting = self._cost(option)
        economic = self._annual(option)
        return [
            economic,
            self._per_hour("accounting", option, accounting, hours),
            self._per_hour("economic", option, self._recovered(option, economic), hours),
            use,
            *self._even_use(option),
        ]

    def _hours(self, option: str) -> tuple[Figure, Figure]:
        used, there = self.buy.delivered_gpu_hours(option), self.buy.owned_gpu_hours(option)
        plan = "the plan"
        return (
            Figure(f"delivered.{option}", "delivered GPU-hours", used, "h", source=plan),
            Figure(f"owned.{option}", "GPU-hours from delivery to sale", there, "h", source=plan),
        )

    def _cost(self, option: str) -> Figure:
        """Undiscounted: depreciation and running costs over the time owned."""
        lines = [line for line in self.buy.lines if line.cause == option]
        on = tuple(self.derived["buy"].paid(line) for line in lines)
        value = sum((line.amount for line in lines), ZERO)
        name, title = f"cost.{option}", f"cost of owning, {option}"
        return Figure(name, title, value, self.currency, How.SUM, "purchases to resale", on)

    def _years(self, option: str) -> Figure:
        bought = self.buy.bought(option)
        days = (max(b.sold for b in bought) - min(b.paid for b in bought)).days
        title = "years from the first payment to the last sale"
        value = Decimal(days) / DAYS_IN_YEAR
        return Figure(f"years.{option}", title, value, "", source="the plan")

    def _annual(self, option: str) -> Figure:
        lines = [line for line in self.buy.lines if line.cause == option]
        worth = sum((line.present_value for line in lines), ZERO)
        paid = min(b.paid for b in self.buy.bought(option))
        start = self.buy.problem.horizon.index(paid)
        at_purchase = worth / discount_factor(self.rate_value, start)
        years = self._years(option)
        value = at_purchase / annuity(years.value or ZERO, self.rate_value) if years.value else None
        formula = "present value on the day of purchase / annuity of the years owned"
        on = [self.derived["buy"].worth(line, self.rate) for line in lines]
        title = f"equivalent annual cost of {option}"
        inputs = (*on, years, self.rate)
        return Figure(f"eac.{option}", title, value, self.currency, How.WORDS, formula, inputs)

    def _recovered(self, option: str, annual: Figure) -> Figure:
        years = self._years(option)
        value = None if annual.value is None else annual.value * (years.value or ZERO)
        return Figure(
            f"recovered.{option}", "equivalent annual cost over the years owned", value,
            self.currency, How.PRODUCT, "equivalent annual cost x years", (annual, years),
        )  # fmt: skip

    def _per_hour(self, basis: str, option: str, cost: Figure, hours: Figure) -> Figure:
        words = f"cost of a delivered GPU-hour, {basis}, {option}"
        name = f"gpu_hour_{basis}.{option}"
        if not hours.value or cost.value is None:
            return Figure(
                name, words, None, self.currency, How.QUOTIENT, "cost / delivered GPU-hours",
                (cost, hours), code="never_used", note="what is bought is never used",
            )  # fmt: skip
        value = cost.value / hours.value
        formula = "cost / delivered GPU-hours"
        return Figure(name, words, value, self.currency, How.QUOTIENT, formula, (cost, hours))

    def _even_use(self, option: str) -> list[Figure]:
        """From the plan's break-even rows: share of all hours, against the rental it names."""
        return [
            Figure(
                f"even_use_{row['basis']}.{row['subject']}",
                f"break-even utilisation, {row['basis']}, against {row['against']}",
                None if row["break_even"] is None else Decimal(row["break_even"]) / HOURS_IN_DAY,
                "", How.WORDS,
                "(fixed + idle energy) / (rent of all hours - extra energy of use)",
                source="break-even points of the plan",
                code="" if row["break_even"] is not None else str(row["answer"]),
                note=str(row["meaning"]),
            )
            for row in self.breakeven
            if (row["kind"], row["quantity"], row["unit"]) == ("pair", "utilisation", "h/day")
            and row["subject"] == option
            and row["answer"] != "none"
        ]  # fmt: skip

    def rented_hour(self) -> Figure:
        """What renting all pays for a GPU-hour, used or not."""
        lines = [line for line in self.rent.lines if line.component == "rent"]
        value = sum((line.amount for line in lines), ZERO)
        cost = Figure(
            "rent.rent", "rent in all (rent)", value, self.currency, How.SUM, "sum",
            tuple(self.derived["rent"].paid(line) for line in lines),
            source="" if lines else "nothing is rented",
        )  # fmt: skip
        hours = self.rent.rented_gpu_hours()
        paid = Figure("rent.gpu_hours", "GPU-hours paid for", hours, "h", source="the plan")
        each = value / hours if hours else None
        title = "rent of a GPU-hour that is paid for"
        return Figure(
            "rented_gpu_hour", title, each, self.currency, How.QUOTIENT,
            "rent / GPU-hours paid for", (cost, paid), code="" if hours else "nothing_rented",
        )  # fmt: skip
