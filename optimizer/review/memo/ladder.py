"""Node by node: what each node bought saves while the plan stays as it is.

The first node does the work of all hours in which any is busy, the k-th that of hours in which k
are. So the k-th is used no more than the one before it, and the last one tells whether one is too
many (a newsvendor's critical ratio). Nothing is optimised again: `rentopt breakeven` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from optimizer.plans import Plan, Usage
from optimizer.report.rental_groups import hours_in
from optimizer.review.memo.what_if import ONE, ZERO, WhatIf
from optimizer.review.workbook.question import HOURS_IN_DAY, Lot, Question

Busy = dict[date, list[Decimal]]
"""Nodes of one option at work, by day and hour."""
RENT_FACTORS = tuple(Decimal(n) / 100 for n in (50, 75, 90, 100, 110, 125, 150))
LOAD_FACTORS = tuple(Decimal(n) / 100 for n in (25, 50, 75, 90, 100, 110, 125))


@dataclass(frozen=True, slots=True)
class Rung:
    """One more node."""

    number: int
    """From 1, over all purchases."""
    node: str
    use: Decimal
    """Share of its hours in which it works."""
    days_used: int
    saving: Decimal
    """NPV of buying less renting of this node alone."""
    so_far: Decimal
    """Of all nodes up to this one."""
    even_rent: Decimal | None
    """Rental price of a GPU-hour at which it saves nothing; None: it is never used."""


@dataclass(frozen=True, slots=True)
class Regime:
    """How many of the nodes are worth owning, over load (rows) and rental prices (columns)."""

    loads: tuple[Decimal, ...]
    rents: tuple[Decimal, ...]
    nodes: tuple[tuple[int, ...], ...]
    most: int


@dataclass(frozen=True)
class Ladder:
    """All nodes of a question, each with the hours in which it works."""

    what_if: WhatIf
    plan: Plan

    def rungs(self) -> list[Rung]:
        found, so_far = [], ZERO
        for number, (index, use, days) in enumerate(self._nodes(ONE), start=1):
            lot = self.what_if.question.lots[index]
            answered = self._one(index, use).base
            so_far += answered.npv
            even = answered.value("break_even_rent")
            found.append(Rung(number, lot.node, use, days, answered.npv, so_far, even))
        return found

    def alone(self) -> Iterator[Question]:
        """The question of each node by itself."""
        for index, use, _ in self._nodes(ONE):
            yield self._one(index, use).question

    def regime(self) -> Regime:
        """With more load, more nodes would be busy, up to those that are bought."""
        rows = []
        for load in LOAD_FACTORS:
            # Of one node NPV is f PV(rent) - PV(buy): no need to ask again for each factor.
            sides = [
                (-one.known("npv_rent"), -one.known("npv_buy"))
                for one in (self._one(index, use).base for index, use, _ in self._nodes(load))
            ]
            rows.append(tuple(sum(f * rent > buy for rent, buy in sides) for f in RENT_FACTORS))
        most = sum(lot.nodes for lot in self.what_if.question.lots)
        return Regime(LOAD_FACTORS, RENT_FACTORS, tuple(rows), most)

    def _one(self, index: int, use: Decimal) -> WhatIf:
        lot = replace(self.what_if.question.lots[index], nodes=1, use=use)
        question = replace(self.what_if.question, lots=(lot,))
        return WhatIf(question, (self.what_if.curves[index],))

    def _nodes(self, load: Decimal) -> Iterator[tuple[int, Decimal, int]]:
        """(lot, share of its hours in use, days with use) of each node; at a factor of the load."""
        question = self.what_if.question
        if not question.planned:
            (lot,) = question.lots
            yield 0, min(ONE, lot.use * load), round(min(ONE, lot.use * load) * _days(lot))
            return
        busy = {lot.option: self._busy(lot.option) for lot in question.lots}
        for index, lot in enumerate(question.lots):
            for rank in range(lot.nodes):
                before = [other for other in question.lots[:index] if other.option == lot.option]
                hours, days = self._worked(lot, before, rank, busy[lot.option], load)
                yield index, hours / (HOURS_IN_DAY * _days(lot)), days

    def _busy(self, option: str) -> Busy:
        found: Busy = defaultdict(lambda: [ZERO] * HOURS_IN_DAY)
        for usage in self.plan.usages:
            if usage.asset == option:
                _add(found, usage)
        return found

    def _worked(
        self, lot: Lot, before: list[Lot], rank: int, busy: Busy, load: Decimal
    ) -> tuple[Decimal, int]:
        """Hours in which this node works, and days; nodes bought earlier go first."""
        total, days = ZERO, 0
        known: dict[tuple[int, tuple[Decimal, ...]], Decimal] = {}
        for number in range(lot.usable, lot.sold):
            above = rank + sum(o.nodes for o in before if o.usable <= number < o.sold)
            day = tuple(busy.get(self.plan.first_day + timedelta(number), ()))
            if (above, day) not in known:  # most days are alike
                shares = (min(ONE, max(ZERO, nodes * load - above)) for nodes in day)
                known[above, day] = sum(shares, ZERO)
            hours = known[above, day]
            total += hours
            days += hours > 0
        return total, days


def _days(lot: Lot) -> int:
    return lot.sold - lot.usable


def _add(busy: Busy, usage: Usage) -> None:
    hours = hours_in(usage.hours)
    nodes = usage.nodes * usage.hours_per_day / len(hours)
    for number in range((usage.end - usage.start).days):
        day = busy[usage.start + timedelta(number)]
        for hour in hours:
            day[hour] += nodes
