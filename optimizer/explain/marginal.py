"""What one more costs, and one less saves: a user, a GPU-day, a day of deadline, a unit of a limit.

Two figures, which answer two questions. *Optimised again*: the difference of two plans; the
interval beside it is proven for the difference of the two optima. So it tells of the next whole
node. *By dual*: the price in the linear relaxation, for all changes at once from one linear program
(`milp/duals`). It tells of much more of the same, where whole nodes average out: no plan with n
times the change costs less than the relaxation and n times that price.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from optimizer.conflicts.rules import (
    Ease,
    InForce,
    deadline_rule,
    load_rule,
    rules_in_force,
    work_rule,
)
from optimizer.explain.ask import Ask, Asker
from optimizer.explain.changed import NARROW, Changed
from optimizer.explain.relaxed import relaxed
from optimizer.formulate import Formulation, formulate
from optimizer.milp.duals import DualPrices, dual_prices
from optimizer.milp.instance import INF, Instance, ReplicaOption, Service
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.plans import Marginal, Relaxation
from optimizer.problem import JobDemand, Problem
from optimizer.solved import Solved, solve_made

FINEST_GAP = NARROW
"""Differences are small: plans are solved to this gap at least, where time allows."""
REQUESTS_STEP = 0.1
"""Requests/s that are added to a service that counts those."""
HOURS_IN_DAY = 24
DUALS_SHARE = 0.5
"""Most of the time that the linear program for all prices may take."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One change, and in which direction it can move the cost."""

    words: str
    change: Callable[[Problem], Problem]
    dearer: bool
    edit: Callable[[Formulation], Instance] | None = None
    """Of the numbers, for what a schedule cannot say."""
    by_dual: Callable[[DualPrices], float | None] = lambda prices: None
    """The price of the change, where dual values tell it."""

    def at(self, problem: Problem) -> tuple[Problem, Formulation]:
        """The schedule with the change, and its numbers."""
        changed = self.change(problem)
        made = formulate(changed)
        return changed, replace(made, instance=self.edit(made)) if self.edit else made


@dataclass(frozen=True, slots=True)
class Marginals:
    """All that one more costs."""

    rows: tuple[Marginal, ...]
    relaxation: Relaxation | None
    cut_short: bool
    """The time ended before all of it was found."""


def marginals(best: Solved, asker: Asker) -> Marginals:
    """All prices by dual values, then each change optimised again, as far as the time goes.

    Args:
        best: the plan, whose solution carries the bound of all plans.
    """
    problem = asker.problem(Ask(""))
    made = formulate(problem)
    steps = list(_steps(problem, made, best))
    options = _finer(asker, len(steps) + 1)
    prices = dual_prices(made.instance, options, time.monotonic() + asker.left_s * DUALS_SHARE)
    base = _base(problem, made, best, _finer(asker, len(steps) + 1))
    cut_short = False
    rows = [_Row(step, Changed(base, step.dearer), _price(step, prices)) for step in steps]
    for row in rows:
        if prices is not None and row.price is not None:
            row.change.costs_at_least(prices.optimum + row.price)
    for number, row in enumerate(rows):
        if asker.left_s > 0:
            row.start(problem, _finer(asker, 2 * (len(rows) - number)))
    rest = [row for row in rows if not row.change.narrow]
    for number, row in enumerate(rest):
        if asker.left_s > 0:
            row.change.optimise(*row.step.at(problem), _finer(asker, len(rest) - number))
        else:
            cut_short = True
    relaxation = None if prices is None else relaxed(prices, made, best)
    told = tuple(row.told() for row in rows)
    return Marginals(told, relaxation, cut_short or prices is None)


@dataclass(frozen=True, slots=True)
class _Row:
    step: _Step
    change: Changed
    price: float | None
    """By dual."""

    def start(self, problem: Problem, options: SolveOptions) -> None:
        """What the plan itself, or one near it, tells: every change gets a figure soon."""
        if self.change.narrow:
            return
        changed, made = self.step.at(problem)
        self.change.keep_all(made)
        if self.step.dearer and not self.change.narrow:
            self.change.keep_commitments(changed, made, options)

    def told(self) -> Marginal:
        change = self.change
        least = min(change.least, change.most)
        extra = min(max(change.extra, least), change.most) if change.extra < INF else INF
        known = not change.impossible
        return Marginal(
            change=self.step.words,
            extra=_exact(extra) if known else None,
            extra_least=_exact(least) if known else None,
            extra_most=_exact(change.most) if known else None,
            impossible=change.impossible,
            asked=change.asked,
            by_dual=_exact(self.price),
        )


def _price(step: _Step, prices: DualPrices | None) -> float | None:
    return None if prices is None else step.by_dual(prices)


def _finer(asker: Asker, share: int) -> SolveOptions:
    options = asker.within(share)
    return replace(options, gap=min(options.gap, FINEST_GAP))


def _base(problem: Problem, made: Formulation, best: Solved, options: SolveOptions) -> Solved:
    """The plan itself to a finer gap: the better plan and the better bound of both."""
    if best.solution.gap <= options.gap:
        return best
    found = solve_made(problem, made, options)
    if isinstance(found, NoSolution):
        return best
    bound = max(found.solution.bound, best.solution.bound)
    better = min(found, best, key=lambda one: one.solution.objective)
    bound = min(bound, better.solution.objective)
    return replace(better, solution=replace(better.solution, bound=bound))


def _exact(value: float | None) -> Decimal | None:
    return None if value is None or abs(value) == INF else Decimal(repr(round(value, 6)))


def _steps(problem: Problem, made: Formulation, best: Solved) -> Iterator[_Step]:
    yield from _loads(problem)
    for j, demand in enumerate(problem.jobs):
        yield from _job_steps(problem, demand, j, _gpu_day(best, j))
    yield from _node_day(made, best)
    for rule in rules_in_force(problem):
        if rule.ease is not None and rule.margin:
            step = _eased(rule.ease, rule.margin, dearer=False)
            yield replace(step, by_dual=partial(_limit_price, rule, problem, made))


def _limit_price(
    rule: InForce, problem: Problem, made: Formulation, prices: DualPrices
) -> float | None:
    """Of a little more of a limit; None: its rows count whole things."""
    each = {"cash": prices.cash, "power": prices.kilowatts, "rack_units": prices.rack_units}
    each |= dict(zip(problem.horizon.months, prices.budget, strict=False))
    each |= {option.name: 0.0 for option in problem.purchases}  # nothing runs on some of them
    each |= {asset.name: x for asset, x in zip(made.assets, prices.bought, strict=True)}
    price = each.get(rule.limit)
    return None if price is None else price * rule.margin


def _eased(ease: Ease, amount: float, *, dearer: bool, words: str = "") -> _Step:
    return _Step(words or ease.words(amount), lambda problem: ease.at(problem, amount), dearer)


def _loads(problem: Problem) -> Iterator[_Step]:
    for v, demand in enumerate(problem.services):
        name = demand.service.name
        peak = max(value for day in demand.load for value in day)
        by_users = demand.service.phases[0].users is not None
        more = 1.0 if by_users else REQUESTS_STEP
        thing = "one more user" if by_users else f"{more:g} more requests/s"
        words = f"{thing} of '{name}'"
        ease = load_rule(name).ease
        if ease is not None:
            step = _eased(ease, -100 * more / peak, dearer=True, words=f"{words} at its peak")
            yield replace(step, by_dual=partial(_load_price, v, more / peak))


def _load_price(v: int, share: float, prices: DualPrices) -> float:
    return prices.load[v] * share


def _gpu_day(best: Solved, j: int) -> tuple[str, float] | None:
    """Work that one GPU of the gang that the plan uses most does in a day, and the gang's node."""
    hours: dict[int, float] = defaultdict(float)
    solution, data = best.solution, best.made.instance
    for (job, g, s), on in solution.run.items():
        hours[g] += on * data.slices[s].hours * (job == j)
    for (job, g, _), worked in solution.hours.items():
        hours[g] += worked * (job == j)
    if not any(hours.values()):
        return None
    most = max(sorted(hours), key=lambda g: hours[g])
    option = best.problem.jobs[j].options[best.made.gangs[j][most]]
    gpus = option.nodes * option.kind.count
    return str(option.kind), option.rate / gpus * HOURS_IN_DAY


def _job_steps(
    problem: Problem, demand: JobDemand, j: int, day: tuple[str, float] | None
) -> Iterator[_Step]:
    name = demand.job.name
    work = work_rule(name).ease
    if day is not None and work is not None:
        node, amount = day
        words = f"one more GPU-day on {node} for '{name}'"
        step = _eased(work, -100 * amount / demand.work, dearer=True, words=words)
        yield replace(step, by_dual=lambda prices: prices.work[j] * amount / demand.work)
    deadline = deadline_rule(problem, demand).ease
    if deadline is None:
        return
    if demand.last > demand.first:
        words = f"the deadline of '{name}' a day earlier"
        yield _eased(deadline, -1, dearer=True, words=words)
    if demand.last < problem.horizon.n_days - 1:
        words = f"the deadline of '{name}' a day later"
        yield _eased(deadline, 1, dearer=False, words=words)


def _node_day(made: Formulation, best: Solved) -> Iterator[_Step]:
    """One more node of the kind that services use most, on the first day on which most are used."""
    data, solution = best.made.instance, best.solution
    used: dict[tuple[int, int], float] = defaultdict(float)
    for (v, c, s), replicas in solution.serve.items():
        option = data.services[v].replicas[c]
        point = data.slices[s]
        used[option.pool, point.period] += replicas * option.share * point.hours
    if not used:
        return
    whole: dict[int, float] = defaultdict(float)
    for (pool, _), hours in used.items():
        whole[pool] += hours
    busiest = max(sorted(whole), key=lambda p: whole[p])
    day = max(sorted(t for p, t in used if p == busiest), key=lambda t: used[busiest, t])
    kind, spot = best.made.pools[busiest]

    def by_dual(prices: DualPrices) -> float | None:
        return prices.nodes.get((made.pools.index((kind, spot)), day))

    def edit(made: Formulation) -> Instance:
        pool = made.pools.index((kind, spot))
        load = tuple(float(point.period == day) for point in made.instance.slices)
        more = Service("one more node", load, 0.0, (ReplicaOption(pool, 1.0, 1.0),), ())
        return replace(made.instance, services=(*made.instance.services, more))

    when = best.problem.horizon.day(day)
    yield _Step(f"one more {kind} on {when}, its busiest day", lambda p: p, True, edit, by_dual)
