"""Days that ask for the same get the same answer.

A solver that stops within a gap leaves equal days with different, nearly equal hardware, which no
one can operate. With long terms, purchases and jobs held as they are, the days do not depend on
each other any more: each different day is solved once, exactly, and all like it get its answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from optimizer.milp.choices import charges
from optimizer.milp.instance import Instance, Limits, Solution
from optimizer.milp.stretch import Kept, Stretch, by_the_day, running

SolveDay = Callable[[Instance], Solution | None]


def can_polish(data: Instance) -> bool:
    """Whether days are independent once long terms, purchases and jobs are held."""
    sites = any(gang.site and not gang.by_hour for job in data.jobs for gang in job.gangs)
    return not sites and not days_are_tied(data)


def days_are_tied(data: Instance) -> bool:
    """Whether days depend on each other even where long terms and purchases are held."""
    limited = bool(data.quotas or data.lots or data.choices or data.prices_by_day)
    limited |= data.limits != Limits(fixed_cash=data.limits.fixed_cash)
    return limited or any(offer.least > 1 for offer in data.term_offers)


def polish(data: Instance, solution: Solution, solve_day: SolveDay) -> Solution:
    """The solution with every day's services served as cheaply as its capacity allows."""
    per_day = len(data.slices) // len(data.period_days)
    kept = Kept.of(data, solution)
    used: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    jobs = running(data, solution)
    for (p, s), n in sorted(jobs.items()):
        used[s // per_day].append((p, s % per_day, n))
    answers: dict[object, Solution | None] = {}
    days = []
    for t in range(len(data.period_days)):
        here = range(t * per_day, (t + 1) * per_day)
        key = (
            tuple(service.load[s] for service in data.services for s in here),
            tuple(level[t] for level in kept.rented),
            tuple(level[t] for level in kept.held),
            tuple(used[t]),
        )
        day = Stretch(kept, t, 1, jobs)
        if key not in answers:
            answers[key] = solve_day(day.instance)
        answer = answers[key]
        if answer is not None:
            days.append((day, answer))
    return spliced(data, solution, days)


def spliced(
    data: Instance, plan: Solution, answers: Sequence[tuple[Stretch, Solution]]
) -> Solution:
    """A plan with the answers of stretches, which do not overlap, in place of its own."""
    new = {s for stretch, _ in answers for s in range(stretch.here.start, stretch.here.stop)}
    days = {data.slices[s].period for s in new}
    jobs = {j for stretch, _ in answers for j in stretch.jobs}
    short = by_the_day(data)

    def stays(o: int, i: int) -> bool:
        return not short[o] or data.term_offers[o].starts[i].day not in days

    parts = [stretch.widened(found) for stretch, found in answers]
    start = {k: n for k, n in plan.start.items() if stays(*k)}
    hourly = {k: n for k, n in plan.hourly.items() if k[1] not in new}
    busy = {k: n for k, n in plan.busy.items() if k[1] not in new}
    serve = {k: n for k, n in plan.serve.items() if k[2] not in new}
    api = {k: n for k, n in plan.api.items() if k[2] not in new}
    run = {k: n for k, n in plan.run.items() if k[0] not in jobs}
    hours = {k: n for k, n in plan.hours.items() if k[0] not in jobs}
    moved = {j for j in plan.moved if j not in jobs}
    for part in parts:
        start |= part.start
        hourly |= part.hourly
        busy |= part.busy
        serve |= part.serve
        api |= part.api
        run |= part.run
        hours |= part.hours
        moved |= set(part.moved)
    found = replace(
        plan,
        start=start,
        hourly=hourly,
        busy=busy,
        serve=serve,
        api=api,
        run=run,
        hours=hours,
        moved=tuple(sorted(moved)),
    )
    return replace(found, objective=objective(data, found))


def objective(data: Instance, x: Solution) -> float:
    """The cost of a solution of an exact instance, added up from its parts, charges included."""
    total = data.constant
    total += sum(data.term_offers[o].starts[i].cost * n for (o, i), n in x.start.items())
    total += sum(data.assets[a].holds[i].cost * n for (a, i), n in x.hold.items())
    for (o, s), n in x.hourly.items():
        total += data.hourly_offers[o].cost[s] * data.slices[s].hours * n
    total += sum(data.assets[a].busy[s] * n for (a, s), n in x.busy.items())
    total += sum(data.services[v].apis[a].cost[s] * n for (v, a, s), n in x.api.items())
    for (j, g, s), n in x.hours.items():
        gang = data.jobs[j].gangs[g]
        total += gang.hour_cost[s] * n if gang.hourly >= 0 else 0.0
    total += sum(data.jobs[j].move_cost for j in x.moved)
    return total + charges(data, x)
