"""Break-even points of purchases as figures: `breakeven.pair`, with every number it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from optimizer.breakeven.pair import Pair
from optimizer.breakeven.quotes import SPANS, Quote, quotes
from optimizer.finance.energy import HOURS_IN_YEAR
from optimizer.plans import Plan
from optimizer.problem import Problem, PurchaseOption
from optimizer.review.derivation.steps import worked_out
from optimizer.review.figure import Figure
from optimizer.review.workbook.question import planned_pair

SCHEDULE = "the schedule"
_BUSY = f"{HOURS_IN_YEAR} * busy * pue * kwh"
_IDLE = f"{HOURS_IN_YEAR} * idle * pue * kwh"
_RENTED = f"{HOURS_IN_YEAR} * gpus * use * rent"
_ENERGY = f"{HOURS_IN_YEAR} * (use * busy + (1 - use) * idle) * pue * kwh"
_LEFT = "(1 + r) ^ -years"
QUANTITIES = {
    "utilisation": (
        "share",
        f"(yearly + {_IDLE}) / ({HOURS_IN_YEAR} * gpus * rent - ({_BUSY} - {_IDLE}))",
    ),
    "rental price": (
        "{}/GPU-hour", f"(yearly + {_ENERGY}) / ({HOURS_IN_YEAR} * gpus * use)",
    ),
    "purchase price": (
        "{}/node",
        f"({_RENTED} - fixed - {_ENERGY}) / ((1 - residual * {_LEFT}) / annuity + maintenance)",
    ),
    "electricity price": (
        "{}/kWh",
        f"({_RENTED} - yearly) / ({HOURS_IN_YEAR} * (use * busy + (1 - use) * idle) * pue)",
    ),
    "residual value": (
        "share",
        f"(price - ({_RENTED} - fixed - maintenance * price - {_ENERGY}) * annuity)"
        f" / {_LEFT} / price",
    ),
}  # fmt: skip
"""Quantity of a break-even row → unit, and the formula in closed form."""


def pair_figures(plan: Plan, problem: Problem) -> Iterator[Figure]:
    """Of every purchase against the first rental it is compared with, for each basis."""
    for option in problem.purchases:
        found = quotes(problem, option.kind)
        if not found or problem.horizon.n_days <= option.item.lead_time:
            continue
        quote = found[0]
        if not _said(plan, option, quote):
            continue
        plain = planned_pair(plan, problem, option, quote)
        rate = Decimal(str(problem.costs.money.discount_rate))
        for basis, pair in (("accounting", plain), ("economic", replace(plain, rate=rate))):
            yield from _figures(problem, option, quote, basis, pair)


def _said(plan: Plan, option: PurchaseOption, quote: Quote) -> bool:
    """Whether the plan has break-even points of it: one made without has none."""
    wanted = ("pair", option.name, quote.name)
    return any((row["kind"], row["subject"], row["against"]) == wanted for row in plan.breakeven)


def _figures(
    problem: Problem, option: PurchaseOption, quote: Quote, basis: str, pair: Pair
) -> Iterator[Figure]:
    numbers = _Numbers(problem, option, quote, basis, pair)
    for quantity, (unit, formula) in QUANTITIES.items():
        name = f"even.{quantity.replace(' ', '_')}.{option.name}.{basis}"
        title = f"break-even {quantity} of {option.name}, {basis}, against {quote.name}"
        on = numbers.used_in(formula)
        if any(part.value is None for part in on) or (not pair.use and quantity == "rental price"):
            continue
        if quantity == "electricity price" and not pair.kwh:
            continue
        yield worked_out(name, title, unit.format(problem.costs.currency), formula, *on)


class _Numbers:
    """What the formulas take."""

    def __init__(
        self, problem: Problem, option: PurchaseOption, quote: Quote, basis: str, pair: Pair
    ) -> None:
        item, offer = option.item, quote.listing.offer
        currency, where = problem.costs.currency, f"pair.{option.name}"
        self.prefix, self.basis, self.pair, self.currency = where, basis, pair, currency
        hours = SPANS[quote.span]
        seen = f"{offer.quoted}; paid for {hours} h at least" if hours > 1 else offer.quoted
        bought = item.source or SCHEDULE
        self.known = {
            "gpus": self._given("gpus", "GPUs of the node", Decimal(pair.gpus), "", SCHEDULE),
            "price": self._given("price", f"price of one {option.kind}", pair.capex, currency,
                                 bought),
            "years": self._given("years", "years from delivery to the end", pair.years, "",
                                 SCHEDULE),
            "residual": self._given("residual", "share of the price that the resale brings, net",
                                    pair.residual, "", "residual curve and cost of a sale"),
            "busy": self._given("busy", "power of a working node", pair.busy_kw, "kW", SCHEDULE),
            "idle": self._given("idle", "power of a waiting node", pair.idle_kw, "kW", SCHEDULE),
            "pue": self._given("pue", "power usage effectiveness", pair.pue, "", SCHEDULE),
            "kwh": self._given("kwh", "a kWh, mean of the day", pair.tariff, currency, SCHEDULE),
            "fixed": self._given("fixed", "hosting of a year", pair.fixed, currency, SCHEDULE),
            "maintenance": self._given("maintenance", "maintenance, share of the price a year",
                                       pair.maintenance, "", SCHEDULE),
            "use": self._given("use", "planned utilisation", pair.use, "", "the plan"),
            "r": self._given(f"r.{basis}", "discount rate", pair.rate, "a year", basis),
            "rent": replace(
                self._given("rent", f"rent of a GPU-hour, {quote.name}", pair.rent, currency,
                            offer.source),
                observed_at=offer.observed_at, note=f"quoted as {seen}",
            ),
        }  # fmt: skip
        self.known["annuity"] = self._annuity()
        self.known["yearly"] = self._yearly()

    def used_in(self, formula: str) -> tuple[Figure, ...]:
        words = "".join(c if c.isalnum() or c == "_" else " " for c in formula).split()
        return tuple(self.known[word] for word in dict.fromkeys(words) if word in self.known)

    def _given(self, name: str, title: str, value: Decimal, unit: str, source: str) -> Figure:
        symbol = name.split(".")[0]
        return Figure(f"{self.prefix}.{name}", title, value, unit, source=source, symbol=symbol)

    def _annuity(self) -> Figure:
        """Of one a year in twelve parts, each at the end of its month."""
        name = f"{self.prefix}.annuity.{self.basis}"
        title = "present value of 1 a year, paid monthly"
        if not self.pair.rate:
            return worked_out(name, title, "", "years", self.known["years"], symbol="annuity")
        formula = f"(1 - {_LEFT}) / (12 * ((1 + r) ^ (1 / 12) - 1))"
        on = (self.known["r"], self.known["years"])
        return worked_out(name, title, "", formula, *on, symbol="annuity")

    def _yearly(self) -> Figure:
        formula = f"(price - residual * price * {_LEFT}) / annuity + fixed + maintenance * price"
        on = self.used_in(formula)
        name = f"{self.prefix}.yearly.{self.basis}"
        title = "a year of owning without electricity"
        return worked_out(name, title, self.currency, formula, *on, symbol="yearly")
