"""Buying against renting after tax, and the net advantage to leasing. Off unless asked for.

Rent and running costs are deducted when paid. A purchase is deducted by a named rule at the end of
each calendar year before the sale; in the year of the sale the price obtained is taxed against what
is then left of the cost, which is the same as first taking that year's deduction. Terms of art and
sources: docs/finance.md, Taxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from optimizer.costs import Flow
from optimizer.finance.presets import Asset, Preset, preset
from optimizer.finance.refusal import FinanceError
from optimizer.finance.tax import after_tax_rate
from optimizer.finance.time_value import discount_factor
from optimizer.plans import Bought
from optimizer.review.figure import Figure, How
from optimizer.review.sides import Comparison, Side

_CAPITAL = ("purchase", "resale")
_USER = "given for this review"


@dataclass(frozen=True, slots=True)
class TaxCase:
    """What the user says about tax; nothing of it has a default."""

    tax_rate: Decimal
    rule: str
    """Name of a depreciation preset."""
    debt_rate: Decimal | None = None
    """Cost of borrowing a year before tax, for the net advantage to leasing."""
    used: bool = False
    """Whether second-hand machines are bought: some rules exclude them."""

    def __post_init__(self) -> None:
        if not 0 <= self.tax_rate < 1:
            raise FinanceError(f"a tax rate of {self.tax_rate:%} is not one; write 0.25 for 25 %")


@dataclass(frozen=True, slots=True)
class TaxFlow:
    """Tax of one year on one purchase, paid at the end of that year."""

    day: int
    amount: Decimal
    """Above 0: tax to pay; below: tax saved."""
    what: str


def after_tax_figures(comparison: Comparison, case: TaxCase) -> tuple[Figure, ...]:
    """NPV after tax, to stand beside the one before it, and the net advantage to leasing.

    Raises:
        FinanceError: the rule does not apply to what is bought.
    """
    rent, buy = comparison.rent, comparison.buy
    if rent is None or buy is None:
        return ()
    rule = preset(case.rule)
    taxes = [tax for line in buy.parts.bought for tax in _taxes(buy, line, rule, case)]
    view = _View(rent, buy, case, rule, taxes)
    figures = [view.npv("npv_after_tax", buy.rate)]
    if case.debt_rate is not None:
        figures.append(view.net_advantage(case.debt_rate))
    return tuple(figures)


def _taxes(buy: Side, line: Bought, rule: Preset, case: TaxCase) -> Iterator[TaxFlow]:
    """Tax saved by deductions of the years before the sale, and tax on the sale."""
    currency = buy.problem.costs.currency
    asset = Asset(line.price / line.nodes, line.nodes, currency, line.usable, case.used)
    left = line.price
    for year, amount in enumerate(rule.deductions(asset).by_year, start=line.usable.year):
        if year >= line.sold.year:
            break
        left -= amount
        yield TaxFlow(_year_end(buy, year), -case.tax_rate * amount, f"deduction of {year}")
    gain = line.resale - left
    yield TaxFlow(
        _year_end(buy, line.sold.year), case.tax_rate * gain, f"sale in {line.sold.year}"
    )  # fmt: skip


def _year_end(side: Side, year: int) -> int:
    return side.problem.horizon.index(date(year, 12, 31))


@dataclass(frozen=True, slots=True)
class _View:
    rent: Side
    buy: Side
    case: TaxCase
    rule: Preset
    taxes: list[TaxFlow]

    @property
    def currency(self) -> str:
        return self.buy.problem.costs.currency

    def npv(self, name: str, rate: Decimal) -> Figure:
        on = (self._running(self.rent, rate), self._owning(rate, rate))
        by_day: dict[int, Decimal] = {}
        for tax in self.taxes:
            by_day[tax.day] = by_day.get(tax.day, Decimal(0)) - tax.amount
        needed = max(by_day.values()).max(Decimal(0)) / (self.case.tax_rate or 1)
        need = f"needs taxable profit, up to {needed:,.2f} {self.currency} in a year"
        note = f"{self.rule.name}; {need}"
        return self._difference(name, "NPV of buying less renting, after tax", on, note)

    def net_advantage(self, debt_rate: Decimal) -> Figure:
        """PV(buy) - PV(rent) with what is contracted at the after-tax cost of debt."""
        rate = after_tax_rate(debt_rate, self.case.tax_rate)
        on = (self._owning(rate, self.buy.rate), self._running(self.rent, rate))
        note = f"above 0: rent; contracted money at {rate:.2%}, resale at {self.buy.rate:.2%}"
        return self._difference("net_advantage_to_leasing", "net advantage to leasing", on, note)

    def _difference(self, name: str, title: str, on: tuple[Figure, Figure], note: str) -> Figure:
        value = (on[0].value or Decimal(0)) - (on[1].value or Decimal(0))
        formula = f"{on[0].title} - {on[1].title}"
        return Figure(name, title, value, self.currency, How.DIFFERENCE, formula, on, note=note)

    def _owning(self, rate: Decimal, residual_rate: Decimal) -> Figure:
        sold = [tax for tax in self.taxes if tax.what.startswith("sale")]
        saved = [tax for tax in self.taxes if tax not in sold]
        flows = {part: self._flows(self.buy, part) for part in _CAPITAL}
        parts = (
            self._worth("purchases", flows["purchase"], rate),
            self._running(self.buy, rate),
            self._worth("tax saved by deductions", [(t.day, t.amount) for t in saved], rate),
            self._worth("resale", flows["resale"], residual_rate),
            self._worth("tax on the sale", [(t.day, t.amount) for t in sold], residual_rate),
        )
        value = sum((part.value or Decimal(0) for part in parts), Decimal(0))
        name = f"after_tax.buy.{rate:f}"
        title = "present value of buying after tax"
        return Figure(name, title, value, self.currency, How.SUM, "sum", parts)

    def _running(self, side: Side, rate: Decimal) -> Figure:
        kept = 1 - self.case.tax_rate
        flows = [
            (flow.day, flow.amount * kept)
            for _, flow in side.bill
            if flow.component not in _CAPITAL
        ]
        what = "rent and running costs" if side.name == "buy" else "renting all"
        return self._worth(f"{what}, after tax", flows, rate)

    @staticmethod
    def _flows(side: Side, component: str) -> list[tuple[int, Decimal]]:
        bill: list[Flow] = [flow for _, flow in side.bill if flow.component == component]
        return [(flow.day, flow.amount) for flow in bill]

    def _worth(self, what: str, flows: list[tuple[int, Decimal]], rate: Decimal) -> Figure:
        value = sum((amount * discount_factor(rate, day) for day, amount in flows), Decimal(0))
        formula = "each payment / (1 + rate) ^ (day / 365), added up"
        name = f"after_tax.{what}.{rate:f}".replace(" ", "_")
        on = (
            Figure(f"{name}.paid", f"{what}, undiscounted", sum((a for _, a in flows), Decimal(0)),
                   self.currency, source="the bill, the tax rate and the rule"),
            Figure(f"after_tax.rate.{rate:f}", "discount rate", rate, "", source="money"),
            Figure("tax_rate", "tax rate", self.case.tax_rate, "", source=_USER),
            Figure(f"rule.{self.rule.name}", f"rule {self.rule.name}", None, "",
                   source=self.rule.source, note=self.rule.note),
        )  # fmt: skip
        return Figure(name, f"present value of {what}", value, self.currency, How.WORDS,
                      formula, on)  # fmt: skip
