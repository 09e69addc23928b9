"""The question of a review asked again with other assumptions: what the memo's sliders move.

Everything goes through `outcomes` of the moved question, so that memo, workbook and JSON cannot say
different things. The script in the page (``templates/memo.js``) mirrors this module and
`optimizer.review.workbook.outcomes` function by function; a test holds both together on a grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.finance.residual import residual_share
from optimizer.problem import Problem
from optimizer.review.workbook.outcomes import (
    Flows,
    Month,
    Outcome,
    all_flows,
    months,
    outcomes,
)
from optimizer.review.workbook.question import Lot, Question

ONE, ZERO = Decimal(1), Decimal(0)
Curve = Mapping[int, float]
"""Share of the price by age in months; 1 at age 0."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the sliders stand. Factors are of what the plan assumes."""

    rent: Decimal = ONE
    """Factor of all rental prices."""
    use: Decimal = ONE
    """Factor of all utilisations."""
    price: Decimal = ONE
    """Factor of all purchase prices; maintenance and resale move with them."""
    residual: Decimal = ONE
    """Factor of the shares that sales bring, each at most the price."""
    tariff: Decimal | None = None
    """Of a kWh."""
    rate: Decimal | None = None
    """Discount rate a year, effective."""
    days: int | None = None
    """Horizon. What is kept to its end is sold at its new end, at the share of that age."""


@dataclass(frozen=True)
class WhatIf:
    """A question with what it takes to ask it again."""

    question: Question
    curves: tuple[Curve, ...]
    """Of each lot."""

    @cached_property
    def base(self) -> Answered:
        return self.at(Position())

    def at(self, position: Position) -> Answered:
        return Answered(self.moved(position), self.curves, position.residual)

    def moved(self, at: Position) -> Question:
        """The question at a position; the same question at the first one."""
        q = self.question
        days = q.days if at.days is None else at.days
        lots = zip(q.lots, self.curves, strict=True)
        return replace(
            q,
            days=days,
            tariff=q.tariff if at.tariff is None else at.tariff,
            rate=q.rate if at.rate is None else at.rate,
            lots=tuple(self._lot(lot, curve, at, days) for lot, curve in lots),
        )

    def _lot(self, lot: Lot, curve: Curve, at: Position, days: int) -> Lot:
        sold = days if lot.sold >= self.question.days else min(lot.sold, days)
        share = lot.residual
        if sold != lot.sold:
            share = residual_share(curve, Decimal(sold - lot.usable) / MEAN_DAYS_IN_MONTH)
        return replace(
            lot,
            rent=lot.rent * at.rent,
            use=lot.use * at.use,
            price=lot.price * at.price,
            sold=sold,
            residual=min(ONE, share * at.residual),
        )


@dataclass(frozen=True, slots=True)
class EvenPoint:
    """Utilisation at which both cost the same, at a rental price."""

    rent: Decimal
    """Mean price of a GPU-hour."""
    use: Decimal | None
    """Share of all hours, above 1 where no use is enough; None: not even that is defined."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What both sides have cost by the end of a month, undiscounted."""

    days: Decimal
    rent: Decimal
    buy: Decimal
    """Before any sale that has not taken place."""
    if_sold: Decimal
    """The same if everything were sold at that moment."""


@dataclass(frozen=True)
class Answered:
    """A question with its answers and what the charts show."""

    question: Question
    curves: tuple[Curve, ...]
    residual: Decimal = ONE

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        return {outcome.name: outcome for outcome in outcomes(self.question)}

    @cached_property
    def months(self) -> list[Month]:
        return months(self.question)

    @cached_property
    def flows(self) -> Flows:
        return all_flows(self.question)

    def value(self, name: str) -> Decimal | None:
        return self.outcomes[name].value

    def known(self, name: str) -> Decimal:
        """A figure that every question has."""
        found = self.value(name)
        if found is None:
            raise ValueError(f"{name} has no value")
        return found

    @property
    def npv(self) -> Decimal:
        return self.known("npv")

    @cached_property
    def mean_rent(self) -> Decimal:
        """Of a delivered GPU-hour, by discounted hours; of all lots alike where nothing is used."""
        worth = self.worth(self.flows.worth)
        if worth:
            return self.worth(self.flows.rent) / worth
        return sum((lot.rent for lot in self.question.lots), ZERO) / len(self.question.lots)

    def worth(self, flows: list[Decimal]) -> Decimal:
        """Present value of flows by month."""
        pairs = zip(flows, self.months, strict=True)
        return sum((flow * month.factor for flow, month in pairs), ZERO)

    def even_use(self, factors: list[Decimal]) -> list[EvenPoint]:
        """Break-even utilisation at these factors of the rental price.

        ``(PV(buy) - PV(busy)) / (f PV(rent) - PV(busy)) x utilisation``: what does not depend on
        use, over what an hour of use spares (docs/review.md, The answers).
        """
        buy, busy = self.worth(self.flows.buying), self.worth(self.flows.busy)
        rent, use = self.worth(self.flows.rent), self.known("utilisation")
        found = []
        for factor in factors:
            each = factor * rent - busy
            even = (buy - busy) / each * use if each > 0 and use else None
            found.append(EvenPoint(self.mean_rent * factor, even))
        return found

    def crossover(self) -> list[Reached]:
        """Sums so far; both begin with what is paid on the first day."""
        found, rent, buy = [], ZERO, ZERO
        stock = self._stock()
        for number, month in enumerate(self.months):
            rent += self.flows.rent[number]
            buy += self.flows.buying[number]
            found.append(Reached(month.end, rent, buy, buy - stock[number]))
        return found

    def _stock(self) -> list[Decimal]:
        """What a sale of everything owned at the end of each month would bring."""
        q = self.question
        total = [ZERO] * len(self.months)
        for lot, curve in zip(q.lots, self.curves, strict=True):
            paid = all_flows(replace(q, lots=(lot,))).purchase
            bought = next((n for n, price in enumerate(paid) if price), len(paid))
            for number, month in enumerate(self.months):
                if number >= bought and month.end < min(lot.sold, q.days):
                    age = max(ZERO, month.end - lot.usable) / MEAN_DAYS_IN_MONTH
                    share = min(ONE, residual_share(curve, age) * self.residual)
                    total[number] += lot.nodes * lot.price * share * (1 - q.resale_cost)
        return total


def make_what_if(question: Question, problem: Problem) -> WhatIf:
    """With the residual curves of the schedule."""
    common = problem.costs.money.residual
    by_option = {option.name: option.item.residual or common for option in problem.purchases}
    return WhatIf(question, tuple(by_option[lot.option] for lot in question.lots))
