"""The two plans a review weighs: the best that buys something, and the best that rents all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from optimizer.accounts import ledger
from optimizer.api import Solved, solve_problem
from optimizer.breakeven.whole import forced
from optimizer.costs import MEAN_DAYS_IN_MONTH, Flow
from optimizer.extract import Extract
from optimizer.formulate import formulate
from optimizer.milp.instance import Start
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.plans import Bought, LedgerLine, Rental
from optimizer.problem import Problem
from providers.hardware import node_kind

HOURS_IN_DAY = 24


@dataclass(frozen=True, slots=True)
class Side:
    """One plan with its bill."""

    name: str
    """rent or buy"""
    problem: Problem
    parts: Extract
    lines: tuple[LedgerLine, ...]

    @property
    def bill(self) -> list[tuple[str, Flow]]:
        return self.parts.bill

    @property
    def total(self) -> Decimal:
        return sum((flow.amount for _, flow in self.bill), Decimal(0))

    @property
    def present_value(self) -> Decimal:
        return self.problem.costs.present_value(flow for _, flow in self.bill)

    @property
    def rate(self) -> Decimal:
        """Annual effective, of the schedule."""
        return Decimal(str(self.problem.costs.money.discount_rate))

    def day(self, index: int) -> date:
        return self.problem.horizon.day(index)

    def caused_by(self, cause: str) -> list[Flow]:
        return [flow for by, flow in self.bill if by == cause]

    def bought(self, option: str) -> list[Bought]:
        return [line for line in self.parts.bought if line.option == option]

    @property
    def options_bought(self) -> list[str]:
        return list(dict.fromkeys(line.option for line in self.parts.bought))

    def delivered_gpu_hours(self, option: str) -> Decimal:
        """Hours in which GPUs bought under this option do work."""
        return sum(
            (
                use.nodes * use.hours_per_day * (use.end - use.start).days
                for use in self.parts.usages
                if use.asset == option
            ),
            Decimal(0),
        ) * self._gpus(option)

    def owned_gpu_hours(self, option: str) -> Decimal:
        """Calendar hours from delivery to sale, of all GPUs bought under this option."""
        hours = sum(
            line.nodes * HOURS_IN_DAY * (line.sold - line.usable).days
            for line in self.bought(option)
        )
        return Decimal(hours) * self._gpus(option)

    def _gpus(self, option: str) -> int:
        return next(node_kind(line.node).count for line in self.bought(option))

    def rented_gpu_hours(self) -> Decimal:
        """GPU-hours paid for, whether used or not."""
        return sum((rental_gpu_hours(rental) for rental in self.parts.rentals), Decimal(0))


def rental_gpu_hours(rental: Rental) -> Decimal:
    days = (rental.end - rental.start).days
    return Decimal(rental.nodes * rental.hours_per_day * days * node_kind(rental.node).count)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, or why one is missing."""

    problem: Problem
    rent: Side | None
    buy: Side | None
    reason: str = ""
    """Why there is nothing to compare; empty when there is."""
    buying_is_best: bool = False
    """Whether the plan that buys is the best plan, or was made to buy a node to be weighed."""

    def difference(self) -> list[Decimal]:
        """Money saved by buying, day by day from 0: inflows positive, the purchase negative."""
        if self.rent is None or self.buy is None:
            return []
        flows = [(flow.day, flow.amount) for _, flow in self.rent.bill]
        flows += [(flow.day, -flow.amount) for _, flow in self.buy.bill]
        by_day = [Decimal(0)] * (max((day for day, _ in flows), default=0) + 1)
        for day, amount in flows:
            by_day[day] += amount
        return by_day

    def monthly(self) -> list[Decimal]:
        """The same by months of 30.4 days, each day's money at the nearest month's end."""
        months: list[Decimal] = []
        for month, amount in self._months():
            months += [Decimal(0)] * (month + 1 - len(months))
            months[month] += amount
        return months

    def _months(self) -> Iterator[tuple[int, Decimal]]:
        for day, amount in enumerate(self.difference()):
            yield nearest_month(day), amount


def nearest_month(day: int) -> int:
    return int((day / MEAN_DAYS_IN_MONTH).to_integral_value(ROUND_HALF_UP))


def compare(
    problem: Problem,
    options: SolveOptions,
    progress: Callable[[str], None] = lambda step: None,
) -> Comparison:
    """Solve both sides.

    Where the best plan buys nothing, buying is the best plan that is made to buy a node on the
    first day and to keep it: what a reviewer who asks "and if we bought one all the same" wants
    to see. Its NPV is below 0 then.
    """
    if not problem.purchases:
        return Comparison(problem, None, None, "the schedule may buy nothing (hardware.buy)")
    progress("renting all")
    rented = solve_problem(problem.without_purchases(), options)
    progress("looking for the best mix")
    return weigh(problem, rented, solve_problem(problem, options), options, progress)


def weigh(
    problem: Problem,
    rented: Solved | NoSolution,
    best: Solved | NoSolution,
    options: SolveOptions,
    progress: Callable[[str], None] = lambda step: None,
) -> Comparison:
    """The same where both are solved already; solves once more only where the best buys nothing."""
    buys = isinstance(best, Solved) and best.nodes_bought > 0
    if not buys:
        progress("buying one node")
        best = _forced(problem, options)
    rent, buy = _side("rent", rented), _side("buy", best)
    missing = "renting all" if rent is None else "buying a node" if buy is None else ""
    reason = f"no plan was found for {missing}" if missing else ""
    return Comparison(problem, rent, buy, reason, buys)


def _forced(problem: Problem, options: SolveOptions) -> Solved | NoSolution:
    """The best plan with at least one node bought on the first day and kept to the end.

    Free to choose its days, it would buy on the last one, and sell at once for nearly the price.
    """
    made = formulate(problem)
    kept = [
        replace(asset, holds=tuple(hold for hold in asset.holds if _throughout(hold, problem)))
        for asset in made.instance.assets
    ]
    made = replace(made, instance=forced(replace(made.instance, assets=tuple(kept))))
    found = solve_any(made.instance, options)
    return found if isinstance(found, NoSolution) else Solved(problem, made, found)


def _throughout(hold: Start, problem: Problem) -> bool:
    return hold.day == 0 and hold.until == problem.horizon.n_days


def _side(name: str, solved: Solved | NoSolution) -> Side | None:
    if isinstance(solved, NoSolution):
        return None
    parts = solved.parts
    return Side(name, solved.problem, parts, tuple(ledger(parts.bill, solved.problem)))
