"""A smallest set of rules that cannot all be kept, and the least easing of each that would do.

Deletion filter: each rule in turn is lifted; if there is still no plan, the clash does not need it
and it stays lifted. What is left is irreducible: without any one of its rules the rest can be kept.
Whatever single change makes a plan possible must change one of these rules, so only they are eased.

Source: Chinneck and Dravnieks 1991, "Locating minimal infeasible constraint sets in linear
programs", ORSA Journal on Computing 3(2), doi:10.1287/ijoc.3.2.157.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optimizer.conflicts.rules import InForce, rules_in_force
from optimizer.formulate import formulate
from optimizer.milp.instance import Solution
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

MOST_TIME_S = 60.0
FEASIBLE = 0.99
"""Gap at which a solve stops when only the existence of a plan is asked."""
COST_GAP = 0.02
WIDTH = 0.02
"""Relative width at which the amount of an easing is narrow enough."""
LOOK_S = 5.0
"""One question whether a plan exists takes at most so long; then it is open."""
MOST_STEPS = 40


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One change that makes a plan possible, all other rules kept."""

    words: str
    cost: float
    """Present value of a plan found with it."""
    amount: float = 0.0
    too_little: float = 0.0
    """Proven not to be enough."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rules that cannot all be kept."""

    rules: tuple[InForce, ...]
    minimal: bool
    """Proven: without any one of them the others can be kept."""
    relaxations: tuple[Relaxation, ...]
    """The plan that costs least first."""
    also: tuple[InForce, ...]
    """Where no single change is enough: rules that clash even without the last of `rules`."""
    settled: bool
    """Every single change was tried to the end."""


class _Judge:
    """Answers whether a plan exists, within a time."""

    def __init__(self, options: SolveOptions, deadline: float) -> None:
        self.options = options
        self.deadline = deadline

    def share(self, parts: int) -> _Judge:
        """One that has one part of the time that is left."""
        now = time.monotonic()
        return _Judge(self.options, now + max(0.0, self.deadline - now) / parts)

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.deadline

    def possible(self, problem: Problem) -> bool | None:
        """None: not found out in time."""
        found = self._solve(problem, FEASIBLE)
        return None if found is None else found < math.inf

    def cost(self, problem: Problem) -> float | None:
        return self._solve(problem, COST_GAP)

    def _solve(self, problem: Problem, gap: float) -> float | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            return None
        limit = min(self.options.time_limit_s, left, LOOK_S)
        found = solve_any(
            formulate(problem).instance, replace(self.options, gap=gap, time_limit_s=limit)
        )
        if isinstance(found, Solution):
            return found.objective
        return math.inf if found.infeasible else None


def find_conflict(problem: Problem, options: SolveOptions) -> Conflict:
    """
    Args:
        problem: one that has no plan.
    """
    judge = _Judge(options, time.monotonic() + min(MOST_TIME_S, 2 * options.time_limit_s))
    rules = rules_in_force(problem)
    clash, minimal = _clash(problem, rules, judge)
    relaxations = []
    settled = minimal
    for number, rule in enumerate(clash):
        found, done = _eased(problem, rule, judge.share(len(clash) - number))
        relaxations += [found] if found else []
        settled &= done
    relaxations.sort(key=lambda item: (item.cost, item.words))
    also: list[InForce] = []
    if settled and not relaxations and clash:
        # The last rules are those that a person would rather change: another clash is behind them.
        also, settled = _clash(clash[-1].lift(problem), rules, judge)
    return Conflict(tuple(clash), minimal, tuple(relaxations), tuple(also), settled)


def _clash(problem: Problem, rules: Sequence[InForce], judge: _Judge) -> tuple[list[InForce], bool]:
    """The rules that are left of the deletion filter, and whether each is proven to be needed."""
    lifted: set[int] = set()
    minimal = True
    for number in range(len(rules)):
        possible = judge.possible(_without(problem, rules, {*lifted, number}))
        if possible is False:
            lifted.add(number)
        minimal &= possible is not None
    return [rule for number, rule in enumerate(rules) if number not in lifted], minimal


def _without(problem: Problem, rules: Sequence[InForce], lifted: set[int]) -> Problem:
    """Lifted in their order: rules of the market first, whose lifting gathers offers anew."""
    for number in sorted(lifted):
        problem = rules[number].lift(problem)
    return problem


def _eased(problem: Problem, rule: InForce, judge: _Judge) -> tuple[Relaxation | None, bool]:
    """The least easing of one rule that is enough, and whether that was settled."""
    whole = judge.possible(rule.lift(problem))
    if not whole:
        return None, whole is not None
    if rule.ease is None:
        cost = judge.cost(rule.lift(problem))
        return (None, False) if cost is None else (Relaxation(rule.lifted, cost), True)
    ease = rule.ease
    low, high, settled = 0.0, min(ease.first, ease.most), True
    for _ in range(MOST_STEPS):
        possible = judge.possible(ease.at(problem, high))
        if possible:
            break
        if high >= ease.most or judge.over:
            return None, possible is not None and settled
        if possible is False:
            low = high
        # Near the least amount plans are hard to find, and hard to rule out; far from it, easy.
        settled &= possible is not None
        high = min((2 if possible is False else 4) * high, ease.most)
    while high - low > (1 if ease.whole else WIDTH * high):
        middle = (low + high) // 2 if ease.whole else (low + high) / 2
        possible = judge.possible(ease.at(problem, middle))
        if possible is None:
            settled = False
            break  # what is enough stays proven, if not that less is not
        low, high = (low, middle) if possible else (middle, high)
    if not ease.whole:
        high = _said(high)
    cost = judge.cost(ease.at(problem, high))
    if cost is None or cost == math.inf:
        return None, False
    return Relaxation(ease.words(high), cost, high, low), settled


def _said(amount: float) -> float:
    """Rounded up to three digits: what is said to be enough must be."""
    step = 10.0 ** (math.floor(math.log10(amount)) - 2)
    return round(math.ceil(amount / step - 1e-9) * step, 6)


def conflict_lines(found: Conflict, currency: str) -> Iterator[str]:
    """In the user's words."""
    if len(found.rules) == 1:
        yield f"this cannot be kept: {found.rules[0].words}"
    else:
        yield "these cannot all be kept" + (
            ", though without any one of them the others can be:" if found.minimal else ":"
        )
        yield from (f"  {rule.words}" for rule in found.rules)
    if found.relaxations:
        yield "each of these changes by itself would do, the cheapest plan first:"
        for item in found.relaxations:
            yield f"  {item.words}: about {item.cost:,.0f} {currency} in present value"
    elif found.also:
        yield f"no single change is enough: without the last of them (… {found.rules[-1].words}),"
        yield "  these cannot all be kept either:"
        yield from (f"    {rule.words}" for rule in found.also)
    if not found.settled:
        yield "the time ended before everything was tried; allow more (--time-limit)"
