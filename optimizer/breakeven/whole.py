"""Break-evens of the whole plan: at which prices and loads the best mix starts to buy.

Two questions are answered exactly at each factor: the best plan that buys nothing, and the best
one made to buy at least one node. Each answer is an interval, from its proven bound to a plan that
was found. Where the two intervals do not meet, the better side is proven; a bracket has a proven
point on either side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from optimizer.breakeven.bracket import NONE_AT_ALL, Bracket, Cost, cost_of, judge, search
from optimizer.breakeven.rows import Row, row, said
from optimizer.breakeven.scale import (
    nothing_else,
    with_electricity,
    with_load,
    with_purchase_prices,
    with_rent,
)
from optimizer.formulate import formulate
from optimizer.milp.instance import Instance
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

QUANTITIES = ("rental price", "purchase price", "load", "electricity price")
CostAt = Callable[[float, SolveOptions], Cost]


def forced(data: Instance) -> Instance:
    """The same, but at least one node must be bought."""
    group = tuple(a for a, asset in enumerate(data.assets) if asset.holds)
    return replace(data, least_bought=((group, 1),))


class Scaled:
    """Costs of the two answers at a factor; what does not change is solved once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.rent = formulate(problem.without_purchases()).instance
        self.own = forced(formulate(problem).instance)
        self.known: list[tuple[Instance, SolveOptions, Cost]] = []

    def cost(self, data: Instance, options: SolveOptions) -> Cost:
        """Of an instance; one solved before to the same gap or a smaller one is remembered."""
        for other, asked, cost in self.known:
            if asked.gap <= options.gap and other == data:
                return cost
        cost = cost_of(data, options)
        if cost == NONE_AT_ALL or cost.gap <= options.gap:
            self.known.append((data, options, cost))
        return cost

    def answers(self, quantity: str) -> tuple[CostAt, CostAt]:
        """The cost of renting all, and of buying some, at a factor of the quantity."""
        made = {
            "rental price": self._rental,
            "purchase price": self._purchase,
            "load": self._load,
            "electricity price": self._electricity,
        }
        return made[quantity]()

    def _rental(self) -> tuple[CostAt, CostAt]:
        in_proportion = nothing_else(self.rent)

        def rent(factor: float, options: SolveOptions) -> Cost:
            if in_proportion:
                return self.cost(self.rent, options).times(factor)
            return self.cost(with_rent(self.rent, factor), options)

        return rent, lambda factor, options: self.cost(with_rent(self.own, factor), options)

    def _purchase(self) -> tuple[CostAt, CostAt]:
        def own(factor: float, options: SolveOptions) -> Cost:
            dearer = forced(formulate(with_purchase_prices(self.problem, factor)).instance)
            return self.cost(dearer, options)

        return lambda factor, options: self.cost(self.rent, options), own

    def _load(self) -> tuple[CostAt, CostAt]:
        return (
            lambda factor, options: self.cost(with_load(self.rent, factor), options),
            lambda factor, options: self.cost(with_load(self.own, factor), options),
        )

    def _electricity(self) -> tuple[CostAt, CostAt]:
        def rent(factor: float, options: SolveOptions) -> Cost:
            scaled = with_electricity(self.problem, factor).without_purchases()
            return self.cost(formulate(scaled).instance, options)

        def own(factor: float, options: SolveOptions) -> Cost:
            scaled = with_electricity(self.problem, factor)
            return self.cost(forced(formulate(scaled).instance), options)

        return rent, own


@dataclass(frozen=True, slots=True)
class Asked:
    """A quantity that is moved: its unit, which way speaks for buying, and its value now."""

    quantity: str
    unit: str
    up: bool
    now: float = 1.0
    words: str = ""


def questions(problem: Problem) -> list[Asked]:
    loads = "all service loads" if problem.services else "all jobs' work"
    asked = [
        Asked("rental price", "x all rental prices", True, words="the rental prices"),
        Asked("purchase price", "x all purchase prices", False, words="the purchase prices"),
        Asked("load", f"x {loads}", True, words=loads),
    ]
    pieces = problem.horizon.slices
    hours = sum(piece.n_hours for piece in pieces)
    tariff = sum(float(problem.costs.kwh_price(p)) * p.n_hours for p in pieces) / hours
    if tariff > 0:
        unit = f"{problem.costs.currency}/kWh"
        asked.append(Asked("electricity price", unit, False, tariff, "the price of electricity"))
    return asked


def whole_rows(
    problem: Problem,
    options: SolveOptions,
    deadline: float,
    quantities: tuple[str, ...] = QUANTITIES,
) -> list[Row]:
    """One row a quantity, until the deadline (on the monotonic clock) is reached."""
    if not problem.purchases:
        return []
    scaled = Scaled(problem)
    asked = [question for question in questions(problem) if question.quantity in quantities]
    rows = []
    for number, question in enumerate(asked):
        now = time.monotonic()
        share = now + (deadline - now) / (len(asked) - number)
        rent, own = scaled.answers(question.quantity)
        found = search(
            judge(rent, own, options, share),
            up=question.up,
            deadline=share,
            settled_if_impossible=question.quantity != "load",
        )
        rows.append(_row(question, found))
    return rows


def _row(asked: Asked, found: Bracket) -> Row:
    ends = found.ends
    if ends is None:
        return _open_row(asked, found)
    low, high = (end * asked.now for end in ends)
    raw = (low + high) / 2
    narrow = found.narrow
    more, less = ("buys something", "rents all") if asked.up else ("rents all", "buys something")
    unit = asked.unit
    if narrow:
        words = (
            f"the best plan {less} below {said(raw)} {unit} and {more} above it; now it is "
            f"{said(asked.now)} (proven at {said(low, 4)} and {said(high, 4)})"
        )
    else:
        gap = max((max(p.rent.gap, p.own.gap) for p in found.between), default=0.0)
        why = (
            f"undecided inside at a gap of {gap:.3%}"
            if found.between
            else "not narrowed further in the time allowed"
        )
        words = (
            f"the best plan {less} at {said(low, 4)} {unit} and {more} at {said(high, 4)}, both "
            f"proven; in between it changes, {why}; now it is {said(asked.now)}"
        )
    return row(
        "whole", "the plan", asked.quantity, unit, words, now=asked.now,
        break_even=raw if narrow else None, raw=raw, low=low, high=high, proven=True,
        answer="at" if narrow else "open", against="buying nothing", basis="economic",
        points=found.seen,
    )  # fmt: skip


def _open_row(asked: Asked, found: Bracket) -> Row:
    """No change was bracketed: one side only, or nothing settled at all."""
    known = found.buy or found.rent
    answer, proven = "open", False
    if known is None:
        words = f"not settled in the time allowed whether buying beats renting at {asked.words}"
    else:
        buys = found.buy is not None
        side = "buying something is" if buys else "renting all is"
        impossible = NONE_AT_ALL in (known.rent, known.own)
        if impossible:
            words = (
                "no plan exists that buys nothing"
                if buys
                else "nothing that may be bought could be used within the limits"
            ) + f", whatever {asked.words}"
            answer, proven = "always" if buys else "never", True
        elif found.out_of_time:
            words = f"{side} proven cheaper now; where that changes was not found in time"
        else:
            words = f"{side} cheaper at every factor tried, from 1/32 to 32 times {asked.words}"
            answer, proven = "always" if buys else "never", not found.between
    return row(
        "whole", "the plan", asked.quantity, asked.unit, words, now=asked.now,
        proven=proven, answer=answer, against="buying nothing", basis="economic",
        points=found.seen,
    )  # fmt: skip
