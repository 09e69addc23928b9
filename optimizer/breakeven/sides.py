"""The best cost of one kind of plan while a price moves, from as few solves as will do.

A plan that was found stays a plan when prices change, and its cost is a straight line in the price.
The least cost is the lower envelope of such lines, so it is concave: between two points whose
bounds are proven, the chord is proven too. And it never falls when a price rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from optimizer.breakeven.bracket import NONE_AT_ALL, Cost
from optimizer.milp.instance import INF, Instance, Solution
from optimizer.milp.polish import objective
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import NoSolution, SolveOptions

EQUAL = 1e-12


@dataclass(slots=True)
class Solver:
    """Solves instances, and remembers them: some are asked for by several questions."""

    known: list[tuple[Instance, float, Solution]] = field(default_factory=list)

    def solve(self, data: Instance, options: SolveOptions) -> Solution | NoSolution:
        for other, gap, found in self.known:
            if gap <= options.gap and other == data:
                return found
        answer = solve_any(data, options)
        if isinstance(answer, Solution):
            self.known.append((data, max(options.gap, answer.gap), answer))
        return answer


@dataclass(slots=True)
class Side:
    """All-rent plans, or plans that buy, at any factor of one price or load."""

    at: Callable[[float], Instance]
    solver: Solver
    prices: bool
    """Whether the factor moves prices only, so that what is known at one tells of others."""
    in_proportion: bool = False
    """The whole cost is the factor times the cost at 1."""
    lines: list[tuple[float, float]] = field(default_factory=list)
    """(a, b): a plan that costs a + b · factor"""
    lows: dict[float, float] = field(default_factory=dict)
    """factor → proven bound"""
    highs: dict[float, float] = field(default_factory=dict)
    """factor → cost of the best plan found there"""
    gaps: dict[float, float] = field(default_factory=dict)
    """factor → gap it was solved to"""
    impossible: bool = False

    def cost(self, factor: float) -> Cost:
        """What is known without solving."""
        if self.impossible:
            return NONE_AT_ALL
        high = self.highs.get(factor, INF)
        low = self.lows.get(factor, -INF)
        if self.prices:
            high = min([high, *(a + b * factor for a, b in self.lines)])
            low = max(low, self._floor(factor))
        return Cost(min(low, high), high)

    def slope(self, factor: float) -> float | None:
        """Of the cheapest known plan there."""
        if not self.lines:
            return None
        return min(self.lines, key=lambda line: line[0] + line[1] * factor)[1]

    def _floor(self, factor: float) -> float:
        """Proven at other factors: in proportion, on the chord, or of a lower price."""
        if self.in_proportion:
            return max((low / x * factor for x, low in self.lows.items()), default=-INF)
        below = [(x, low) for x, low in self.lows.items() if x <= factor]
        above = [(x, low) for x, low in self.lows.items() if x > factor]
        floor = max((low for _, low in below), default=-INF)
        for x, low in below:
            for y, high in above:
                floor = max(floor, low + (high - low) * (factor - x) / (y - x))
        return floor

    def improve(self, factor: float, options: SolveOptions) -> None:
        """Solve at a factor, unless that was done to such a gap."""
        asked = 1.0 if self.in_proportion else factor
        if self.impossible or self.gaps.get(asked, INF) <= options.gap:
            return
        data = self.at(asked)
        found = self.solver.solve(data, options)
        # A solve that the time limit ended would not do better for being asked for a finer gap.
        ended = isinstance(found, NoSolution) or found.gap > options.gap
        self.gaps[asked] = 0.0 if ended else options.gap
        if isinstance(found, NoSolution):
            # Not found in time proves nothing.
            if found.infeasible and self.prices:
                self.impossible = True
            elif found.infeasible:
                self.lows[asked] = INF
            return
        # Polishing and the solver's tolerances may leave the plan a hair below the bound.
        low = min(found.bound, found.objective)
        self.lows[asked] = max(low, self.lows.get(asked, -INF))
        if self.prices:
            dearer = objective(self.at(2 * asked), found)
            b = (dearer - found.objective) / asked
            line = (found.objective - b * asked, b)
            if all(abs(line[0] - a) + abs(line[1] - c) > EQUAL for a, c in self.lines):
                self.lines.append(line)
        else:
            self.highs[asked] = min(found.objective, self.highs.get(asked, INF))
