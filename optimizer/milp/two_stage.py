"""Several instances, one of which will come true, with decisions that all of them share.

Section "Two stages" of MODEL.md. The instances differ in numbers, not in offers and assets: what is
agreed before it is known which one comes true is the same in all; the rest is each one's own.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from optimizer.milp.assemble import assemble
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.linear_model import INF, LinearModel, Term
from optimizer.milp.merge import alike_days, merge_days
from optimizer.milp.solver import SolveOptions, run_solver
from optimizer.milp.variables import Variables, about_columns

EXACT_COLUMNS = 15_000
"""Up to so many columns, the joined daily model is solved as it is; above, with merged days."""
MERGED = ((3, 20_000), (7, 60_000), (28, 60_000))
"""(most days of a period, most columns of the joined merged model); the finest one that fits."""
LOOSE_COLUMNS = 400_000
"""Where none fits, only the linear relaxation is solved, for its bound, up to this size."""

Amount = TypeVar("Amount", float, Decimal)
Day = tuple[int, int]
"""(number of a term offer or asset, day its term begins or it is paid)"""


@dataclass(frozen=True, slots=True)
class Risk:
    """What is minimised: (1 - weight) · expected cost + weight · CVaR at the level."""

    weight: float = 0.0
    level: float = 0.9

    def of(self, costs: Sequence[float], chances: Sequence[float]) -> float:
        """The objective of costs by scenario."""
        mean = sum(p * c for p, c in zip(chances, costs, strict=True))
        return (1 - self.weight) * mean + self.weight * cvar(costs, chances, self.level)


def cvar(costs: Sequence[Amount], chances: Sequence[Amount], level: Amount) -> Amount:
    r"""Mean cost of the worst 1 - level of all outcomes.

    $$\min_\eta\; \eta + \frac{1}{1-\alpha} \sum_\omega p_\omega \max(0, c_\omega - \eta)$$

    The minimum is at one of the costs. Source: Rockafellar and Uryasev, "Optimization of
    Conditional Value-at-Risk", Journal of Risk 2 (2000).

    Args:
        level: share of outcomes that are better, from 0 to below 1; 0 gives the mean.

    >>> cvar([10.0, 20.0, 100.0], [0.5, 0.4, 0.1], 0.8)
    60.0
    """

    def at(eta: Amount) -> Amount:
        excess = eta - eta
        for chance, cost in zip(chances, costs, strict=True):
            excess += chance * max(cost - eta, cost - cost)
        return eta + excess / (1 - level)

    return min(map(at, costs))


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is decided before it is known which instance comes true."""

    starts: tuple[tuple[Day, int], ...] = ()
    """Units of a term offer that start on a day."""
    bought: tuple[tuple[Day, int], ...] = ()
    """Nodes of an asset that are paid on a day; when they are sold is decided later."""


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Exact instances with equal offers, assets and days, and how likely each is."""

    branches: tuple[Instance, ...]
    chances: tuple[float, ...]
    terms: frozenset[int]
    """Term offers whose starts before `until` are agreed; purchases before it always are."""
    until: int
    """First day on which it is known which instance comes true."""

    def agreed(self, branch: int, x: Solution) -> Agreed:
        """The shared decisions of a solution of one branch."""
        data = self.branches[branch]
        starts: dict[Day, int] = defaultdict(int)
        bought: dict[Day, int] = defaultdict(int)
        for (o, i), units in x.start.items():
            day = data.term_offers[o].starts[i].day
            if o in self.terms and day < self.until:
                starts[o, day] += units
        for (a, i), nodes in x.hold.items():
            day = data.assets[a].holds[i].day
            if day < self.until:
                bought[a, day] += nodes
        return Agreed(tuple(sorted(starts.items())), tuple(sorted(bought.items())))


@dataclass(frozen=True, slots=True)
class Joined:
    """What solving the joined model says."""

    bound: float
    """Proven: no shared decision has a lower objective."""
    agreed: Agreed | None
    """The best shared decision it found; in a merged model days are the first of their period."""
    infeasible: bool = False
    """Proven: no shared decision leaves a plan in every scenario."""
    periods: tuple[int, ...] = ()
    """First day of each period of a merged model; empty: days are single."""


def solve_joined(two: TwoStage, risk: Risk, options: SolveOptions, deadline: float) -> Joined:
    """The extensive form: every scenario's model side by side, the shared decisions tied.

    Small ones are solved day by day, larger ones with days merged alike in all scenarios: a
    relaxation, whose bound holds. The largest only get the bound of the linear relaxation.
    """
    days = len(two.branches[0].period_days)
    daily = sum(map(about_columns, two.branches))
    groups: Sequence[Sequence[int]] = [[t] for t in range(days)]
    branches: Sequence[Instance] = two.branches
    fits = daily <= EXACT_COLUMNS
    for longest, most in MERGED if not fits else ():
        groups = alike_days(two.branches, longest, borders=(two.until,))
        branches = [merge_days(data, longest, groups).instance for data in two.branches]
        fits = daily * len(groups) / days <= most
        if fits:
            break
    model, variables = _extensive(branches, two, risk, groups)
    if not fits:
        return _loose(model, options, deadline)
    now = time.monotonic()
    is_daily = len(groups) == days
    raw = run_solver(model, options, now + (deadline - now) * 0.8, counts=(is_daily, True))
    if raw.values is None and raw.infeasible:
        return Joined(INF, None, infeasible=True)
    if raw.values is None:
        loose = _loose(model, options, deadline)
        return replace(loose, bound=max(loose.bound, raw.bound))
    periods = () if is_daily else tuple(group[0] for group in groups)
    return Joined(raw.bound, _read(branches[0], variables[0], raw.values, two), periods=periods)


def on_own_days(two: TwoStage, joined: Joined, own: Sequence[Solution]) -> Agreed | None:
    """A decision of a merged model, with each part of it on the day of its period on which most
    branches by themselves would take it, by chance and number; where none would, as it is.

    For a decision worth trying. None where there is none, or its days are single anyway.

    Args:
        own: a solution of each branch by itself.
    """
    if joined.agreed is None or not joined.periods:
        return None
    shares: dict[tuple[str, int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))

    def key(kind: str, day: Day) -> tuple[str, int, int]:
        return kind, day[0], bisect_right(joined.periods, day[1])

    for number, (chance, x) in enumerate(zip(two.chances, own, strict=True)):
        theirs = two.agreed(number, x)
        for kind, items in (("start", theirs.starts), ("buy", theirs.bought)):
            for day, count in items:
                shares[key(kind, day)][day[1]] += chance * count

    def moved(kind: str, items: Sequence[tuple[Day, int]]) -> tuple[tuple[Day, int], ...]:
        found: dict[Day, int] = defaultdict(int)
        for day, count in items:
            days = shares.get(key(kind, day), {day[1]: 1.0})
            found[day[0], max(days, key=lambda t: (days[t], -t))] += count
        return tuple(sorted(found.items()))

    return Agreed(moved("start", joined.agreed.starts), moved("buy", joined.agreed.bought))


def _loose(model: LinearModel, options: SolveOptions, deadline: float) -> Joined:
    """The bound of the linear relaxation."""
    if len(model.names) > LOOSE_COLUMNS:
        return Joined(-INF, None)
    model.whole = [False] * len(model.whole)
    raw = run_solver(model, options, deadline)
    return Joined(INF if raw.infeasible else raw.bound, None, raw.infeasible)


def _read(data: Instance, v: Variables, values: Sequence[float], two: TwoStage) -> Agreed:
    """The shared decisions in the first scenario's columns; they are the same in all."""
    starts: dict[Day, int] = defaultdict(int)
    bought: dict[Day, int] = defaultdict(int)
    for (o, i), column in v.start.items():
        day = data.term_offers[o].starts[i].day
        if o in two.terms and day < two.until and round(values[column]):
            starts[o, day] += round(values[column])
    for (a, i), column in v.hold.items():
        day = data.assets[a].holds[i].day
        if day < two.until and round(values[column]):
            bought[a, day] += round(values[column])
    return Agreed(tuple(sorted(starts.items())), tuple(sorted(bought.items())))


def _extensive(
    branches: Sequence[Instance], two: TwoStage, risk: Risk, groups: Sequence[Sequence[int]]
) -> tuple[LinearModel, list[Variables]]:
    """All scenarios in one model; the first one's columns come first, and keep their numbers."""
    whole, variables, shared = LinearModel(), [], []
    period = {day: p for p, days in enumerate(groups) for day in days}
    spread: list[Term] = []
    eta = -1
    for number, (data, chance) in enumerate(zip(branches, two.chances, strict=True)):
        model, v = assemble(data)
        first = _append(whole, model, number, (1 - risk.weight) * chance)
        variables.append(v)
        shared.append(_shared(data, v, two, period, first))
        if risk.weight:
            if eta < 0:
                eta = whole.column("eta[]", cost=risk.weight)
                whole.lower[eta] = -INF
            cost = risk.weight * chance / (1 - risk.level)
            excess = whole.column(f"excess[{number}]", cost=cost)
            spread = [(first + c, x) for c, x in enumerate(model.costs) if x]
            row = [*spread, (eta, -1.0), (excess, -1.0)]
            whole.row(f"excess[{number}]", row, upper=-model.offset)
    for number in range(1, len(branches)):
        for key in sorted(shared[0].keys() | shared[number].keys()):
            one = shared[0].get(key, [])
            other = [(column, -x) for column, x in shared[number].get(key, [])]
            kind, thing, t = key
            whole.row(f"agreed[{kind}{thing},{t},{number}]", [*one, *other], lower=0, upper=0)
    return whole, variables


def _append(whole: LinearModel, model: LinearModel, number: int, weight: float) -> int:
    """Put a scenario's model beside the others; returns the number of its first column."""
    first = len(whole.names)
    whole.names += [f"{number}:{name}" for name in model.names]
    whole.costs += [weight * cost for cost in model.costs]
    whole.lower += model.lower
    whole.upper += model.upper
    whole.whole += model.whole
    whole.row_names += [f"{number}:{name}" for name in model.row_names]
    whole.row_lower += model.row_lower
    whole.row_upper += model.row_upper
    whole.entries += [{first + c: x for c, x in row.items()} for row in model.entries]
    whole.offset += weight * model.offset
    return first


def _shared(
    data: Instance, v: Variables, two: TwoStage, period: dict[int, int], first: int
) -> dict[tuple[str, int, int], list[Term]]:
    r"""(start or buy, its number, period) → terms that add up to what is agreed then.

    A purchase is agreed, its sale is not: $\sum_{i: day_i = t} hold_{a,i}$.
    """
    terms: dict[tuple[str, int, int], list[Term]] = defaultdict(list)
    for (o, i), column in v.start.items():
        day = data.term_offers[o].starts[i].day
        if o in two.terms and day < two.until:
            terms["start", o, period[day]].append((first + column, 1.0))
    for (a, i), column in v.hold.items():
        day = data.assets[a].holds[i].day
        if day < two.until:
            terms["buy", a, period[day]].append((first + column, 1.0))
    return terms


def joined_bound(two: TwoStage, risk: Risk, bounds: Sequence[float]) -> float:
    """What cannot be beaten, from bounds of each scenario by itself (wait and see).

    Both the mean and CVaR never rise when every cost falls, so the objective of the scenarios'
    own least costs is a bound of that of any shared decision.
    """
    return risk.of(bounds, two.chances)


def representatives(two: TwoStage, costs: Sequence[float], most: int) -> TwoStage:
    """At most so many branches that stand for all: neighbours in cost are put together.

    Each group has about the same probability, and the branch in its middle stands for it. For
    decisions worth trying, not for bounds.

    Args:
        costs: of each branch by itself.
    """
    if len(two.branches) <= most:
        return two
    groups: dict[int, list[int]] = defaultdict(list)
    before = 0.0
    for n in sorted(range(len(costs)), key=lambda n: (costs[n], n)):
        groups[min(most - 1, int((before + two.chances[n] / 2) * most))].append(n)
        before += two.chances[n]
    members = [group for _, group in sorted(groups.items())]
    return replace(
        two,
        branches=tuple(two.branches[group[len(group) // 2]] for group in members),
        chances=tuple(sum(two.chances[n] for n in group) for group in members),
    )
