"""From what a relaxation would commit to, a plan of every day.

With long terms and purchases given, services and jobs are all that is left, and days hardly depend
on each other: each different day is solved by itself (`polish`), jobs take what is left of it and
what they rent themselves, and in the end all that was given is bought anew, as cheaply as what is
used of it allows (`cover`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from optimizer.milp.encode import positive
from optimizer.milp.greedy import Desk, Needs, supplied
from optimizer.milp.instance import (
    INF,
    Asset,
    Instance,
    ReplicaOption,
    Service,
    Solution,
    Start,
)
from optimizer.milp.merge import Merged
from optimizer.milp.polish import by_the_day, held_levels, polish, term_levels
from optimizer.milp.variables import Variables

Solve = Callable[[Instance], Solution | None]
GANGS = 6
"""Configurations of a job that it may choose among beside those the relaxation used."""


def realized(
    data: Instance,
    merged: Merged,
    v: Variables,
    values: Sequence[float],
    *,
    solve_day: Solve,
    solve_jobs: Solve,
) -> Solution | None:
    """A plan near a merged solution; None where this road finds none."""
    given = _committed(data, merged, v, values)
    served = polish(data, given, solve_day)
    if data.jobs:
        wanted = {(j, g) for j, g, _ in (*positive(v.run, values), *positive(v.hours, values))}
        alone, gangs = _jobs_alone(data, served, wanted)
        placed = solve_jobs(alone)
        if placed is None:
            return None
        used = replace(
            given,
            run={(j, gangs[j][g], s): n for (j, g, s), n in placed.run.items()},
            hours={(j, gangs[j][g], s): n for (j, g, s), n in placed.hours.items()},
            moved=placed.moved,
        )
        served = polish(data, used, solve_day)
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


def _jobs_alone(
    data: Instance, served: Solution, wanted: set[tuple[int, int]]
) -> tuple[Instance, list[list[int]]]:
    """Only jobs to decide: commitments as they are, services as fixed loads on their pools.

    Returns it with, for each job, the gangs it has left: those of the relaxation, those on
    capacity of a pool where any is left, and the cheapest by the hour. Outside all windows there
    is nothing to decide, and nothing is asked for.
    """
    needs = Needs.of(data, replace(served, run={}))
    windows = {s for job in data.jobs for s in data.slices_of_days(job.first, job.last)}
    free = (0.0,) * len(data.slices)
    held = [
        replace(asset, owned=tuple(map(float, level)), holds=())
        for asset, level in zip(data.assets, held_levels(data, served), strict=True)
    ]
    rented = [
        Asset(offer.name, offer.pool, tuple(map(float, level)), (), 0.0, free, free)
        for offer, level in zip(data.term_offers, term_levels(data, served), strict=True)
        if any(level)
    ]
    services = [
        Service(
            f"on pool {pool}",
            tuple(n * float(s in windows) for s, n in enumerate(needs.nodes((pool, "")))),
            0.0,
            (ReplicaOption(pool, 1.0, 1.0),),
            (),
        )
        for pool, _ in sorted(needs.shares)
    ]
    terms = [
        offer if by_day else replace(offer, starts=())
        for offer, by_day in zip(data.term_offers, by_the_day(data), strict=True)
    ]
    gangs = [_gangs(data, j, {g for i, g in wanted if i == j}) for j in range(len(data.jobs))]
    alone = replace(
        data,
        term_offers=tuple(terms),
        assets=(*held, *rented),
        services=tuple(services),
        jobs=tuple(
            replace(job, gangs=tuple(job.gangs[g] for g in ids))
            for job, ids in zip(data.jobs, gangs, strict=True)
        ),
    )
    return alone, gangs


def _gangs(data: Instance, j: int, wanted: set[int]) -> list[int]:
    gangs = data.jobs[j].gangs
    priced = [g for g, gang in enumerate(gangs) if gang.hourly >= 0 and gang.rate]
    priced.sort(key=lambda g: (gangs[g].hour_cash / gangs[g].rate, g))
    pooled = [g for g, gang in enumerate(gangs) if not gang.by_hour]
    pooled.sort(key=lambda g: (gangs[g].nodes / max(gangs[g].rate, 1e-9), g))
    return sorted(wanted | set(priced[:GANGS]) | set(pooled[:GANGS]))
