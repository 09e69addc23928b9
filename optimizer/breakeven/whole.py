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
from functools import partial

from optimizer.breakeven.bracket import NONE_AT_ALL, Bracket, Judge, Point, search
from optimizer.breakeven.rows import Row, row, said
from optimizer.breakeven.scale import (
    nothing_else,
    with_electricity,
    with_load,
    with_purchase_prices,
    with_rent,
)
from optimizer.breakeven.sides import Side, Solver
from optimizer.formulate import formulate
from optimizer.milp.instance import INF, Instance
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem
from optimizer.sizing.bands import widest

QUANTITIES = ("rental price", "purchase price", "load", "electricity price")
InstanceAt = Callable[[float], Instance]
FINER = (1.0, 0.1, 0.01)
"""Shares of the asked gap that are tried until two answers can be told apart."""


def forced(data: Instance) -> Instance:
    """The same, but at least one node must be bought."""
    group = tuple(a for a, asset in enumerate(data.assets) if asset.holds)
    return replace(data, least_bought=((group, 1),))


class Scaled:
    """The two answers to one question, as its factor moves."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.rent = formulate(problem.without_purchases()).instance
        self.own = forced(formulate(problem).instance)
        self.solver = Solver()
        limits = self.own.limits
        self.free = not limits.budget and limits.cash == INF
        """No limit on money, so that a change of prices leaves every plan possible."""

    def sides(self, quantity: str) -> tuple[Side, Side]:
        """Renting all, and buying some."""
        problem = self.problem

        def dearer(factor: float) -> Problem:
            if quantity == "electricity price":
                return with_electricity(problem, factor)
            return with_purchase_prices(problem, factor)

        prices = self.free
        rent: InstanceAt
        own: InstanceAt
        if quantity == "rental price":
            rent, own = partial(with_rent, self.rent), partial(with_rent, self.own)
        elif quantity == "load":
            rent, own = partial(with_load, self.rent), partial(with_load, self.own)
            prices = False
        else:

            def rent(factor: float) -> Instance:
                return formulate(dearer(factor).without_purchases()).instance

            def own(factor: float) -> Instance:
                return forced(formulate(dearer(factor)).instance)

        in_proportion = prices and quantity == "rental price" and nothing_else(self.rent)
        return (
            Side(rent, self.solver, prices, in_proportion),
            Side(own, self.solver, prices),
        )


def judge(rent: Side, own: Side, options: SolveOptions, deadline: float) -> Judge:
    """Compare both at a factor: by what is known, else solved to smaller and smaller gaps."""

    def point(factor: float) -> Point:
        slopes = (rent.slope(factor), own.slope(factor))
        lead = None if None in slopes else (slopes[0] or 0.0) - (slopes[1] or 0.0)
        return Point(factor, rent.cost(factor), own.cost(factor), lead)

    def at(factor: float) -> Point:
        for finer in FINER:
            for side in (rent, own):
                left = deadline - time.monotonic()
                if point(factor).verdict != "open" or left <= 0:
                    return point(factor)
                limit = min(options.time_limit_s, max(1.0, left / 2))
                side.improve(
                    factor,
                    replace(options, gap=options.gap * finer, time_limit_s=limit),
                )
        return point(factor)

    return at


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
        # The first question also solves what the others start from.
        share = now + (deadline - now) / (len(asked) - number if number else min(2, len(asked)))
        rent, own = scaled.sides(question.quantity)
        found = search(
            judge(rent, own, options, share),
            up=question.up,
            deadline=share,
            settled_if_impossible=question.quantity != "load",
        )
        rows.append(_row(question, found))
        if question.quantity == "load" and problem.services:
            rows += speed_rows(problem, found)
    return rows


def speed_rows(problem: Problem, load: Bracket) -> list[Row]:
    """The same bracket for the speeds: services twice as fast are as good as half the load."""
    if load.ends is None or not load.narrow:
        return []
    low, high = sorted(1 / end for end in load.ends)
    raw = (low + high) / 2
    band = widest(option.band for demand in problem.services for option in demand.options)
    unit = "x all service speeds"
    inside = band.low < high and low < band.high
    words = (
        f"the best plan buys something below {said(raw)} {unit} and rents all above it; such "
        f"speeds turn out {band.words} in eight of ten cases, so the answer "
        f"{'may change' if inside else 'stays'}"
    )
    found = row(
        "whole", "the plan", "speed", unit, words, now=1.0, break_even=raw, raw=raw, low=low,
        high=high, proven=True, answer="at", against="buying nothing", basis="economic",
        band=[f"{band.low:.2f}", f"{band.high:.2f}"],
    )  # fmt: skip
    return [found]


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
            if 0 < gap < 0.1
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
