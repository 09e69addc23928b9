"""What one more costs, and one less saves: a user, a GPU-day, a day of deadline, a unit of a limit.

Every figure is the difference of two plans that were optimised; the interval beside it is proven
for the difference of the two optima. Duals of the linear relaxation are not used: nodes, terms and
purchases are whole, and a dual says nothing of the next whole one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.conflicts.rules import Ease, deadline_rule, load_rule, rules_in_force, work_rule
from optimizer.explain.ask import Ask, Asker
from optimizer.formulate import Formulation, formulate
from optimizer.milp.instance import Instance, ReplicaOption, Service
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.plans import Marginal
from optimizer.problem import JobDemand, Problem
from optimizer.solved import Solved, solve_made

FINEST_GAP = 0.0005
"""Differences are small: plans are solved to this gap at least, where time allows."""
REQUESTS_STEP = 0.1
"""Requests/s that are added to a service that counts those."""
HOURS_IN_DAY = 24


@dataclass(frozen=True, slots=True)
class _Step:
    """One change, and in which direction it can move the cost."""

    words: str
    change: Callable[[Problem], Problem]
    dearer: bool
    edit: Callable[[Formulation], Instance] | None = None
    """Of the numbers, for what a schedule cannot say."""


def marginals(best: Solved, asker: Asker) -> tuple[tuple[Marginal, ...], bool]:
    """All of them, and whether the time cut them short: those it left no time for have no figure.

    Args:
        best: the plan, whose solution carries the bound of all plans.
    """
    problem = asker.problem(Ask(""))
    steps = list(_steps(problem, best))
    finer = replace(asker.options, gap=min(asker.options.gap, FINEST_GAP))
    base = _base(problem, best, _within(asker, finer, len(steps) + 1))
    rows: list[Marginal] = []
    for number, step in enumerate(steps):
        if asker.left_s <= 0:
            rest = (Marginal(x.words, None, None, None, impossible=False) for x in steps[number:])
            return (*rows, *rest), True
        rows.append(_row(step, problem, base, _within(asker, finer, len(steps) - number)))
    return tuple(rows), False


def _within(asker: Asker, options: SolveOptions, share: int) -> SolveOptions:
    return replace(options, time_limit_s=asker.within(share).time_limit_s)


def _base(problem: Problem, best: Solved, options: SolveOptions) -> Solved:
    """The plan itself to a finer gap: the better plan and the better bound of both."""
    found = solve_made(problem, formulate(problem), options)
    if isinstance(found, NoSolution):
        return best
    bound = max(found.solution.bound, best.solution.bound)
    better = min(found, best, key=lambda one: one.solution.objective)
    bound = min(bound, better.solution.objective)
    return replace(better, solution=replace(better.solution, bound=bound))


def _row(step: _Step, problem: Problem, base: Solved, options: SolveOptions) -> Marginal:
    changed = step.change(problem)
    made = formulate(changed)
    if step.edit is not None:
        made = replace(made, instance=step.edit(made))
    found = solve_made(changed, made, options)
    if isinstance(found, NoSolution):
        return Marginal(step.words, None, None, None, impossible=found.infeasible)
    now, then = base.solution, found.solution
    least, most = then.bound - now.objective, then.objective - now.bound
    least, most = (max(0.0, least), most) if step.dearer else (least, min(0.0, most))
    extra = min(max(then.objective - now.objective, least), most)
    return Marginal(step.words, _exact(extra), _exact(least), _exact(most), impossible=False)


def _exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 6)))


def _steps(problem: Problem, best: Solved) -> Iterator[_Step]:
    yield from _loads(problem)
    for j, demand in enumerate(problem.jobs):
        yield from _job_steps(problem, demand, _gpu_day(best, j))
    yield from _node_day(best)
    for rule in rules_in_force(problem):
        if rule.ease is not None and rule.margin:
            yield _eased(rule.ease, rule.margin, dearer=False)


def _eased(ease: Ease, amount: float, *, dearer: bool, words: str = "") -> _Step:
    return _Step(words or ease.words(amount), lambda problem: ease.at(problem, amount), dearer)


def _loads(problem: Problem) -> Iterator[_Step]:
    for demand in problem.services:
        name = demand.service.name
        peak = max(value for day in demand.load for value in day)
        by_users = demand.service.phases[0].users is not None
        more = 1.0 if by_users else REQUESTS_STEP
        thing = "one more user" if by_users else f"{more:g} more requests/s"
        words = f"{thing} of '{name}'"
        ease = load_rule(name).ease
        if ease is not None:
            yield _eased(ease, -100 * more / peak, dearer=True, words=f"{words} at its peak")


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
    problem: Problem, demand: JobDemand, day: tuple[str, float] | None
) -> Iterator[_Step]:
    name = demand.job.name
    work = work_rule(name).ease
    if day is not None and work is not None:
        node, amount = day
        words = f"one more GPU-day on {node} for '{name}'"
        yield _eased(work, -100 * amount / demand.work, dearer=True, words=words)
    deadline = deadline_rule(problem, demand).ease
    if deadline is None:
        return
    if demand.last > demand.first:
        words = f"the deadline of '{name}' a day earlier"
        yield _eased(deadline, -1, dearer=True, words=words)
    if demand.last < problem.horizon.n_days - 1:
        words = f"the deadline of '{name}' a day later"
        yield _eased(deadline, 1, dearer=False, words=words)


def _node_day(best: Solved) -> Iterator[_Step]:
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

    def edit(made: Formulation) -> Instance:
        pool = made.pools.index((kind, spot))
        load = tuple(float(point.period == day) for point in made.instance.slices)
        more = Service("one more node", load, 0.0, (ReplicaOption(pool, 1.0, 1.0),), ())
        return replace(made.instance, services=(*made.instance.services, more))

    when = best.problem.horizon.day(day)
    yield _Step(f"one more {kind} on {when}, its busiest day", lambda p: p, True, edit)
