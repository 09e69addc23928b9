"""Days that ask for the same get the same answer.

A solver that stops within a gap leaves equal days with different, nearly equal hardware, which no
one can operate. With long terms, purchases and jobs held as they are, the days do not depend on
each other any more: each different day is solved once, exactly, and all like it get its answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from optimizer.milp.choices import charges
from optimizer.milp.instance import (
    Asset,
    HourlyOffer,
    Instance,
    Limits,
    ReplicaOption,
    Service,
    SlicePoint,
    Solution,
    Start,
    TermOffer,
)

TIE = 1e-7
"""Relative extra cost by pool, so that equal answers are chosen the same way every day."""

SolveDay = Callable[[Instance], Solution | None]
Levels = list[list[int]]


def can_polish(data: Instance) -> bool:
    """Whether days are independent once long terms, purchases and jobs are held."""
    limited = bool(data.quotas or data.lots or data.choices or data.prices_by_day)
    limited |= data.limits != Limits(fixed_cash=data.limits.fixed_cash)
    orders = any(offer.least > 1 for offer in data.term_offers)
    sites = any(gang.site and not gang.by_hour for job in data.jobs for gang in job.gangs)
    return not (limited or orders or sites)


def polish(data: Instance, solution: Solution, solve_day: SolveDay) -> Solution:
    """The solution with every day's services served as cheaply as its capacity allows."""
    per_day = len(data.slices) // len(data.period_days)
    short = by_the_day(data)
    rented = term_levels(data, solution)
    held = held_levels(data, solution)
    running = _running(data, solution)
    answers: dict[object, Solution | None] = {}
    days: list[Solution | None] = []
    for t in range(len(data.period_days)):
        here = range(t * per_day, (t + 1) * per_day)
        key = (
            tuple(service.load[s] for service in data.services for s in here),
            tuple(level[t] for level in rented),
            tuple(level[t] for level in held),
            tuple(sorted((p, s - here[0], n) for (p, s), n in running.items() if s in here)),
        )
        if key not in answers:
            loads = [[running.get((p, s), 0) for s in here] for p in range(len(data.pools))]
            levels = ([x[t] for x in rented], [x[t] for x in held])
            answers[key] = solve_day(_one_day(data, t, per_day, short, levels, loads))
        days.append(answers[key])
    return _put_together(data, solution, short, days, per_day)


def by_the_day(data: Instance) -> list[bool]:
    """[term offer] whether it is for single days, so that each day may take its own."""
    return [all(len(s.cover) <= 1 for s in offer.starts) for offer in data.term_offers]


def term_levels(data: Instance, solution: Solution) -> Levels:
    """[term offer][day] units of longer terms rented."""
    short = by_the_day(data)
    levels = [[0] * len(data.period_days) for _ in data.term_offers]
    for (o, i), units in solution.start.items():
        if not short[o]:
            for t, _ in data.term_offers[o].starts[i].cover:
                levels[o][t] += units
    return levels


def held_levels(data: Instance, solution: Solution) -> Levels:
    """[asset][day] nodes owned or bought."""
    levels = [[int(n) for n in asset.owned] for asset in data.assets]
    for (a, i), nodes in solution.hold.items():
        for t, _ in data.assets[a].holds[i].cover:
            levels[a][t] += nodes
    return levels


def _running(data: Instance, solution: Solution) -> dict[tuple[int, int], int]:
    """(pool, slice) → nodes that jobs hold on capacity of the pool."""
    nodes: dict[tuple[int, int], int] = defaultdict(int)
    for (j, g, s), on in solution.run.items():
        gang = data.jobs[j].gangs[g]
        nodes[gang.pool, s] += gang.nodes * on
    return nodes


def _one_day(
    data: Instance,
    t: int,
    per_day: int,
    short: list[bool],
    levels: tuple[list[int], list[int]],
    running: list[list[int]],
) -> Instance:
    """One day with what is rented for long and owned as it is, and jobs as fixed loads."""
    here = range(t * per_day, (t + 1) * per_day)

    def tie(pool: int) -> float:
        return 1 + TIE * pool

    terms: list[TermOffer] = []
    for offer, is_short in zip(data.term_offers, short, strict=True):
        starts: tuple[Start, ...] = ()
        if is_short:
            starts = tuple(
                replace(s, cost=s.cost * tie(offer.pool), cover=((0, 1.0),), day=0, until=1)
                for s in offer.starts
                if s.day == t
            )
        terms.append(replace(offer, starts=starts))
    hourly: list[HourlyOffer] = [
        replace(o, cost=tuple(o.cost[s] * tie(o.pool) for s in here)) for o in data.hourly_offers
    ]
    assets = [
        replace(
            asset,
            owned=(float(level),),
            holds=(),
            busy=tuple(asset.busy[s] for s in here),
            busy_cash=tuple(asset.busy_cash[s] for s in here),
        )
        for asset, level in zip(data.assets, levels[1], strict=True)
    ]
    nothing = (0.0,) * per_day
    for offer, level in zip(data.term_offers, levels[0], strict=True):
        assets.append(Asset(offer.name, offer.pool, (float(level),), (), 0.0, nothing, nothing))
    services = [
        replace(
            service,
            load=tuple(service.load[s] for s in here),
            apis=tuple(
                replace(a, cost=tuple(a.cost[s] for s in here), cash=nothing) for a in service.apis
            ),
        )
        for service in data.services
    ]
    for p, nodes in enumerate(running):
        load = tuple(float(n) for n in nodes)
        services.append(Service(f"jobs {p}", load, 0.0, (ReplicaOption(p, 1.0, 1.0),), ()))
    return Instance(
        period_days=(1,),
        slices=tuple(SlicePoint(0, data.slices[s].hours) for s in here),
        pools=data.pools,
        month_of_period=(0,),
        term_offers=tuple(terms),
        hourly_offers=tuple(hourly),
        assets=tuple(assets),
        services=tuple(services),
    )


def _put_together(
    data: Instance,
    solution: Solution,
    short: list[bool],
    days: list[Solution | None],
    per_day: int,
) -> Solution:
    """Days' answers in place of the solver's; a day without an answer keeps its own."""
    kept = {t for t, day in enumerate(days) if day is None}

    def old(s: int) -> bool:
        return s // per_day in kept

    start = {
        (o, i): n
        for (o, i), n in solution.start.items()
        if not short[o] or data.term_offers[o].starts[i].day in kept
    }
    hourly = {(o, s): n for (o, s), n in solution.hourly.items() if old(s)}
    busy = {(a, s): n for (a, s), n in solution.busy.items() if old(s)}
    serve = {(v, c, s): n for (v, c, s), n in solution.serve.items() if old(s)}
    api = {(v, a, s): n for (v, a, s), n in solution.api.items() if old(s)}
    start_of = [{s.day: i for i, s in enumerate(offer.starts)} for offer in data.term_offers]
    for t, day in enumerate(days):
        if day is None:
            continue
        first = t * per_day
        start |= {(o, start_of[o][t]): n for (o, _), n in day.start.items()}
        hourly |= {(o, first + k): n for (o, k), n in day.hourly.items()}
        busy |= {(a, first + k): n for (a, k), n in day.busy.items() if a < len(data.assets)}
        ours = range(len(data.services))
        serve |= {(v, c, first + k): n for (v, c, k), n in day.serve.items() if v in ours}
        api |= {(v, a, first + k): n for (v, a, k), n in day.api.items()}
    polished = replace(solution, start=start, hourly=hourly, busy=busy, serve=serve, api=api)
    return replace(polished, objective=objective(data, polished))


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
