"""From what a relaxation would commit to, a plan of every day.

With long terms and purchases given, services and jobs are all that is left, and days hardly depend
on each other: each different day is solved by itself (`polish`), jobs take what is left of it and
what they rent themselves, and in the end all that was given is bought anew, as cheaply as what is
used of it allows (`cover`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from optimizer.milp.encode import positive
from optimizer.milp.greedy import Desk, Needs, supplied
from optimizer.milp.instance import INF, Instance, Solution, Start
from optimizer.milp.merge import Merged
from optimizer.milp.polish import days_are_tied, polish, spliced
from optimizer.milp.stretch import Kept, Stretch, by_the_day, running
from optimizer.milp.variables import Variables

Solve = Callable[[Instance], Solution | None]
PORTION = 15
"""So many jobs are placed at once, beside those placed before; of more the solver finds a few good
plans late or none."""
GANGS = 6
"""Configurations of a job that it may choose among beside those the relaxation used."""


def realized(
    data: Instance,
    merged: Merged,
    v: Variables,
    values: Sequence[float],
    gangs: set[tuple[int, int]],
    *,
    solve_day: Solve,
    solve_jobs: Solve,
) -> Solution | None:
    """A plan near a merged solution; None where this road finds none.

    Args:
        gangs: (job, gang) that jobs may choose among, beside those that are usually good.
    """
    given = _committed(data, merged, v, values)
    served = polish(data, given, solve_day)
    if data.jobs:
        placed = _with_jobs(data, given, served, gangs, solve_jobs)
        if placed is None:
            return None
        served = polish(data, placed, solve_day)
    return settled(data, served, solve_day)


def settled(data: Instance, found: Solution, solve_day: Solve) -> Solution:
    """Commitments and days in turns, each as cheap as the other allows, until nothing is saved."""
    desk = Desk(data, long=True)
    best = found
    for _ in range(ROUNDS):
        again = supplied(data, best, Needs.of(data, best), desk)
        if again is None:
            return best
        again = polish(data, again, solve_day)
        if again.objective >= best.objective * (1 - LITTLE):
            return best
        best = again
    return best


ROUNDS = 4
LITTLE = 1e-5
"""A share of the cost for which no further round is made."""


def _committed(data: Instance, merged: Merged, v: Variables, values: Sequence[float]) -> Solution:
    """Long terms and purchases of a merged solution, on single days, and nothing else."""
    short = by_the_day(data)
    begun = {k: values[v.start[k]] for k in positive(v.start, values) if not short[k[0]]}
    held = {k: values[v.hold[k]] for k in positive(v.hold, values)}
    return Solution(
        objective=INF,
        bound=-INF,
        start=_on_days(
            begun,
            [offer.starts for offer in merged.instance.term_offers],
            merged.starts,
            [offer.starts for offer in data.term_offers],
        ),
        hourly={},
        hold=_on_days(
            held,
            [asset.holds for asset in merged.instance.assets],
            merged.holds,
            [asset.holds for asset in data.assets],
        ),
        busy={},
        free={},
        serve={},
        api={},
        run={},
        hours={},
    )


def _on_days(
    used: Mapping[tuple[int, int], float],
    columns: Sequence[Sequence[Start]],
    sources: Sequence[Sequence[Sequence[int]]],
    daily: Sequence[Sequence[Start]],
) -> dict[tuple[int, int], int]:
    """Whole units of the daily starts that merged ones stand for.

    Units of one group that are split between its corners all begin on their mean day: they cover
    then, together, what the corners do.
    """
    groups: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
    for (n, m), units in used.items():
        group = columns[n][m].group
        groups[n, group if group >= 0 else -1 - m].append((m, units))
    found: dict[tuple[int, int], int] = defaultdict(int)
    for (n, _), parts in groups.items():
        units = sum(x for _, x in parts)
        mean = sum(columns[n][m].day * x for m, x in parts) / units
        members = sorted({i for m, _ in parts for i in sources[n][m]})
        begin = max((i for i in members if daily[n][i].day <= mean + 1e-6), default=members[0])
        if round(units):
            found[n, begin] += round(units)
    return dict(found)


def _with_jobs(
    data: Instance,
    given: Solution,
    served: Solution,
    wanted: set[tuple[int, int]],
    solve_jobs: Solve,
) -> Solution | None:
    """Commitments and the cheapest jobs beside them, with services as fixed loads on their pools.

    Jobs have the gangs left that the relaxation used, those on capacity of a pool where any is
    left, and the cheapest by the hour.
    """
    kept = Kept.of(data, served)
    needs = Needs.of(data, served)
    nodes: dict[tuple[int, int], float] = defaultdict(float)
    for pool, _ in needs.shares:
        nodes |= {(pool, s): float(n) for s, n in enumerate(needs.nodes((pool, "")))}
    parts = []
    for jobs in (portion for group in job_groups(data) for portion in _portions(data, group)):
        gangs = [_gangs(data, j, {g for i, g in wanted if i == j}) for j in jobs]
        stretch = _around(kept, jobs, gangs, nodes, served=False)
        placed = solve_jobs(stretch.instance)
        if placed is None:
            return None
        parts.append(stretch.widened(placed))
        for key, n in running(data, parts[-1]).items():
            nodes[key] += n
    return replace(
        given,
        run={k: n for part in parts for k, n in part.run.items()},
        hours={k: n for part in parts for k, n in part.hours.items()},
        moved=tuple(sorted({j for part in parts for j in part.moved})),
    )


def rearranged(
    data: Instance,
    plan: Solution,
    solve: Callable[[Stretch, Solution], Solution | None],
    late: Callable[[], bool] = lambda: False,
) -> Iterator[Solution]:
    """Better plans: jobs placed anew, a group at a time, while services make room for them.

    Args:
        solve: may give nothing, as where there are too many jobs; then fewer are tried.
        late: whether to leave it at that.
    """
    wanted = [] if days_are_tied(data) else job_groups(data)
    for n, jobs in enumerate(wanted):
        if late():
            return
        if jobs in wanted[:n]:
            continue
        kept = Kept.of(data, plan)
        used = {(j, g) for j, g, _ in (*plan.run, *plan.hours)}
        gangs = [_gangs(data, j, {g for i, g in used if i == j}) for j in jobs]
        others = replace(plan, run={k: x for k, x in plan.run.items() if k[0] not in jobs})
        stretch = _around(kept, jobs, gangs, running(data, others), served=True)
        answer = solve(stretch, plan)
        if answer is None:
            wanted.extend(_fewer(data, jobs))
            continue
        better = spliced(data, plan, [(stretch, answer)])
        if better.objective < plan.objective:
            plan = better
            yield plan


def _fewer(data: Instance, jobs: Sequence[int]) -> Iterator[list[int]]:
    """For each job, those of them that may run in its window only; not if others wait for them."""
    for window in (data.jobs[j] for j in jobs):
        inside = [
            j
            for j in jobs
            if window.first <= data.jobs[j].first and data.jobs[j].last <= window.last
        ]
        pairs = ((j, other) for j, job in enumerate(data.jobs) for other in job.after)
        apart = all((j in inside) == (other in inside) for j, other in pairs)
        if apart and len(inside) < len(jobs):
            yield inside


def job_groups(data: Instance) -> list[list[int]]:
    """Jobs whose windows overlap, or that wait for each other; all, where days are tied."""
    if days_are_tied(data):
        return [list(range(len(data.jobs)))]
    found: list[tuple[int, list[int]]] = []
    for j in sorted(range(len(data.jobs)), key=lambda j: (data.jobs[j].first, j)):
        job = data.jobs[j]
        waiting = (other.last for other in data.jobs if j in other.after)
        last, group = max((job.last, *waiting)), [j]
        if found and job.first <= found[-1][0]:
            before, others = found.pop()
            last, group = max(before, last), [*others, j]
        found.append((last, group))
    return [sorted(group) for _, group in found]


def _portions(data: Instance, group: Sequence[int]) -> Iterator[list[int]]:
    """So many jobs as are soon placed, by first day; those that wait for each other together."""
    jobs = sorted(group, key=lambda j: (data.jobs[j].first, j))
    portion: list[int] = []
    for n, j in enumerate(jobs):
        portion.append(j)
        linked = any(set(data.jobs[i].after) & set(portion) for i in jobs[n + 1 :])
        linked |= any(set(data.jobs[i].after) - set(jobs[: n + 1]) for i in portion)
        if len(portion) >= PORTION and not linked and not days_are_tied(data):
            yield sorted(portion)
            portion = []
    if portion:
        yield sorted(portion)


def _around(
    kept: Kept,
    jobs: Sequence[int],
    gangs: Sequence[Sequence[int]],
    nodes: Mapping[tuple[int, int], float],
    *,
    served: bool,
) -> Stretch:
    """The days in which jobs may run; all, where days are tied, but nothing runs on other days."""
    data = kept.data
    windows = {s for j in jobs for s in data.slices_of_days(data.jobs[j].first, data.jobs[j].last)}
    here = {(p, s): n for (p, s), n in nodes.items() if s in windows}
    tied = days_are_tied(data)
    first = 0 if tied else min(data.jobs[j].first for j in jobs)
    after = len(data.period_days) if tied else max(data.jobs[j].last for j in jobs) + 1
    return Stretch(kept, first, after - first, here, served, jobs, gangs, tied)


def _gangs(data: Instance, j: int, wanted: set[int]) -> list[int]:
    gangs = data.jobs[j].gangs
    priced = [g for g, gang in enumerate(gangs) if gang.hourly >= 0 and gang.rate]
    priced.sort(key=lambda g: (gangs[g].hour_cash / gangs[g].rate, g))
    pooled = [g for g, gang in enumerate(gangs) if not gang.by_hour]
    pooled.sort(key=lambda g: (gangs[g].nodes / max(gangs[g].rate, 1e-9), g))
    return sorted(wanted | set(priced[:GANGS]) | set(pooled[:GANGS]))
