"""The columns of the model, by the letters of MODEL.md, with their costs."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from optimizer.milp.instance import GangOption, Instance, Job
from optimizer.milp.linear_model import INF, LinearModel

FREE_HOUR = 1e-7
"""What an hour on a free quota seems to cost, so that none is taken without need."""
Key2 = tuple[int, int]
Key3 = tuple[int, int, int]
Key4 = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Run:
    """A contiguous job's way of running: one gang from the start of one day to the end."""

    job: int
    gang: int
    day: int
    shares: tuple[tuple[int, float], ...]
    """(slice, hours it works there); pool capacity is held for the whole slice."""


@dataclass(slots=True)
class Variables:
    """Column numbers by index."""

    start: dict[Key2, int] = field(default_factory=dict)
    """start[o,i]: units of term offer o in its i-th possible start"""
    hourly: dict[Key2, int] = field(default_factory=dict)
    """hourly[o,s]: nodes of hourly offer o through slice s"""
    hold: dict[Key2, int] = field(default_factory=dict)
    """hold[a,i]: nodes of asset a bought and sold on the days of its i-th hold"""
    busy: dict[Key2, int] = field(default_factory=dict)
    """busy[a,s]: nodes of asset a in use in slice s"""
    free: dict[Key2, int] = field(default_factory=dict)
    """free[q,s]: nodes of quota q in use in slice s"""
    serve: dict[Key3, int] = field(default_factory=dict)
    """serve[v,c,s]: replicas of service v in option c"""
    route: dict[Key4, int] = field(default_factory=dict)
    """route[v,b,c,s]: share of the requests of bucket b that replicas in option c serve"""
    api: dict[Key3, int] = field(default_factory=dict)
    """api[v,a,s]: load of service v through API a"""
    run: dict[Key3, int] = field(default_factory=dict)
    """run[j,g,s]: job j runs as gang g through slice s on capacity of the pool"""
    hours: dict[Key3, int] = field(default_factory=dict)
    """hours[j,g,s]: hours job j runs as gang g in slice s on nodes rented by the hour, or free"""
    total: dict[Key2, int] = field(default_factory=dict)
    """total[j,g]: all hours job j runs as gang g on such nodes"""
    whole_run: dict[int, Run] = field(default_factory=dict)
    """column → contiguous run"""
    done: dict[Key2, int] = field(default_factory=dict)
    """done[j,t]: 1 when job j is finished before period t"""
    move: dict[int, int] = field(default_factory=dict)
    """move[j]: 1 when the data of job j is moved to rented nodes"""
    order: dict[Key2, int] = field(default_factory=dict)
    """order[o,i]: 1 when a start with a minimum quantity is used"""
    started: dict[Key2, int] = field(default_factory=dict)
    """started[o,G]: whole units of offer o whose term begins in one merged period"""
    bought: dict[Key2, int] = field(default_factory=dict)
    """bought[a,G]: whole nodes of asset a bought in one merged period and sold on one day"""
    choice: dict[int, int] = field(default_factory=dict)
    """choice[x]: 1 when choice x is made"""


def add_variables(
    model: LinearModel, data: Instance, pools: Collection[int] | None = None
) -> Variables:
    """Add the columns; whole numbers only where the exact model needs them whole.

    Args:
        pools: leave out what runs on other pools than these; None: all of them.
    """
    v = Variables()
    model.offset = data.constant
    pools = range(len(data.pools)) if pools is None else pools
    _services(model, data, v, pools)
    for j, job in enumerate(data.jobs):
        if job.contiguous and data.exact:
            _contiguous(model, data, v, j, job, pools)
        else:
            _interruptible(model, data, v, j, job, pools)
    wanted = _wanted(data, v)
    _renting(model, data, v, wanted)
    _owning(model, data, v, wanted)
    for j, job in enumerate(data.jobs):
        if job.move_cost or job.move_cash:
            v.move[j] = model.column(f"move[{job.name}]", upper=1, whole=True, cost=job.move_cost)
    for j in sorted({i for job in data.jobs for i in job.after}):
        for t in range(len(data.period_days)):
            name = f"done[{data.jobs[j].name},{t}]"
            v.done[j, t] = model.column(name, upper=1, whole=True)
    for x, choice in enumerate(data.choices):
        if choice.decided:
            name = f"choice[{choice.name}]"
            v.choice[x] = model.column(name, upper=1, whole=True, cost=choice.charge)
    return v


def about_columns(data: Instance) -> int:
    """About how many columns an instance makes."""
    starts = sum(len(o.starts) for o in data.term_offers) + sum(len(a.holds) for a in data.assets)
    replicas = sum(
        len(s.replicas) * (1 + len(s.buckets) * s.routed) + len(s.apis) for s in data.services
    )
    per_slice = replicas + len(data.hourly_offers) + len(data.assets) + len(data.quotas)
    return starts + per_slice * len(data.slices) + gang_columns(data)


def gang_columns(data: Instance) -> int:
    """How many of them are for gangs."""
    return sum(len(job.gangs) * len(data.slices_of_days(job.first, job.last)) for job in data.jobs)


Wanted = set[tuple[int, int]]
"""(pool, slice) in which something may use capacity of the pool"""


def _wanted(data: Instance, v: Variables) -> Wanted:
    wanted = {(data.services[i].replicas[c].pool, s) for i, c, s in v.serve}
    wanted |= {(data.jobs[j].gangs[g].pool, s) for j, g, s in v.run}
    for way in v.whole_run.values():
        gang = data.jobs[way.job].gangs[way.gang]
        if not gang.by_hour:
            wanted |= {(gang.pool, s) for s, _ in way.shares}
    return wanted


def _renting(model: LinearModel, data: Instance, v: Variables, wanted: Wanted) -> None:
    periods = {(p, data.slices[s].period) for p, s in wanted}
    for o, offer in enumerate(data.term_offers):
        for i, begin in enumerate(offer.starts):
            if not any((offer.pool, t) in periods for t, _ in begin.cover):
                continue
            # In merged periods a term shorter than the period may be split between its days.
            whole = data.exact or sum(share for _, share in begin.cover) > 1
            v.start[o, i] = model.column(
                f"start[{offer.name},{begin.day}]",
                # A merged start stands for those of several days: the stock row limits them.
                upper=offer.stock if data.exact else INF,
                whole=whole and begin.group < 0,
                cost=begin.cost,
            )
            if whole and begin.group >= 0 and (o, begin.group) not in v.started:
                name = f"started[{offer.name},{begin.group}]"
                v.started[o, begin.group] = model.column(name, whole=True)
            if offer.least > 1 and data.exact:
                v.order[o, i] = model.column(
                    f"order[{offer.name},{begin.day}]", upper=1, whole=True
                )
    for o, offer_h in enumerate(data.hourly_offers):
        for s, point in enumerate(data.slices):
            if (offer_h.pool, s) not in wanted or offer_h.cost[s] == INF:
                continue
            v.hourly[o, s] = model.column(
                f"hourly[{offer_h.name},{s}]",
                upper=offer_h.stock,
                whole=data.exact,
                cost=offer_h.cost[s] * point.hours * data.slice_days(s),
            )


def _owning(model: LinearModel, data: Instance, v: Variables, wanted: Wanted) -> None:
    useful = {p for p, _ in wanted}
    asked = {a for group, least in data.least_bought if least for a in group}
    for a, asset in enumerate(data.assets):
        for i, hold in enumerate(asset.holds if asset.pool in useful or a in asked else ()):
            v.hold[a, i] = model.column(
                f"hold[{asset.name},{hold.day},{hold.until}]",
                upper=asset.most,
                whole=hold.group < 0,
                cost=hold.cost,
            )
            if hold.group >= 0 and (a, hold.group) not in v.bought:
                name = f"bought[{asset.name},{hold.group}]"
                v.bought[a, hold.group] = model.column(name, upper=asset.most, whole=True)
        for s in range(len(data.slices)):
            if (asset.pool, s) in wanted:
                v.busy[a, s] = model.column(
                    f"busy[{asset.name},{s}]", cost=asset.busy[s] * data.slice_days(s)
                )
    for q, quota in enumerate(data.quotas):
        for s, point in enumerate(data.slices):
            if (quota.pool, s) in wanted:
                most = quota.nodes[point.period]
                v.free[q, s] = model.column(f"free[{quota.name},{s}]", upper=most)


def _services(model: LinearModel, data: Instance, v: Variables, pools: Collection[int]) -> None:
    for i, service in enumerate(data.services):
        for s in range(len(data.slices)):
            if not service.load[s]:
                continue
            for c, replica in enumerate(service.replicas):
                if replica.pool not in pools:
                    continue
                v.serve[i, c, s] = model.column(f"serve[{service.name},{c},{s}]", whole=data.exact)
                for b, rate in enumerate(replica.rates if service.routed else ()):
                    if rate:
                        name = f"route[{service.name},{b},{c},{s}]"
                        v.route[i, b, c, s] = model.column(name, upper=1)
            for a, api in enumerate(service.apis):
                bucket = f"{api.bucket}," if service.buckets else ""
                name = f"api[{service.name},{api.name},{bucket}{s}]"
                v.api[i, a, s] = model.column(name, cost=api.cost[s] * data.slice_days(s))


def _interruptible(
    model: LinearModel, data: Instance, v: Variables, j: int, job: Job, pools: Collection[int]
) -> None:
    window = data.slices_of_days(job.first, job.last)
    # Whole hours in total (`total`) are placed in whole hours at no extra cost, unless another
    # job waits for this one or it for another: then they must be whole in every slice.
    waits = bool(job.after) or any(j in other.after for other in data.jobs)
    for g, gang in enumerate(job.gangs):
        if data.exact and gang.by_hour and gang.pool in pools:
            v.total[j, g] = model.column(f"total[{job.name},{g}]", whole=True)
        for s in window if gang.pool in pools else ():
            name = f"[{job.name},{g},{s}]"
            most = gang.most * data.window_share(j, s)
            if gang.hourly >= 0 and gang.hour_cost[s] == INF:
                continue
            if not gang.by_hour:
                v.run[j, g, s] = model.column("run" + name, upper=most, whole=data.exact)
            else:
                v.hours[j, g, s] = model.column(
                    "hours" + name,
                    upper=data.slices[s].hours * most,
                    whole=data.exact and waits,
                    cost=gang.hour_cost[s] * data.slice_days(s) if gang.hourly >= 0 else FREE_HOUR,
                )


def _contiguous(
    model: LinearModel, data: Instance, v: Variables, j: int, job: Job, pools: Collection[int]
) -> None:
    """One column for each gang and first day from which the work is done by the last day."""
    for g, gang in enumerate(job.gangs):
        if gang.pool not in pools:
            continue
        for day in range(job.first, job.last + 1):
            shares = contiguous_shares(data, job, gang, day)
            if shares is None:
                break  # a later start ends later still
            cost = sum(gang.hour_cost[s] * h for s, h in shares) if gang.hourly >= 0 else 0.0
            if cost == INF:
                continue
            name = f"whole_run[{job.name},{g},{day}]"
            column = model.column(name, upper=1, whole=True, cost=cost)
            v.whole_run[column] = Run(j, g, day, shares)


def contiguous_shares(
    data: Instance, job: Job, gang: GangOption, day: int
) -> tuple[tuple[int, float], ...] | None:
    """Hours worked in each slice from `day` on, None when the window ends too early.

    The job starts when the day starts and takes each day's slices in order. On nodes rented by
    the hour the last hour is billed whole.
    """
    left = job.work / gang.rate if gang.rate else INF
    shares = []
    for s in data.slices_of_days(day, job.last):
        hours = min(left, data.slices[s].hours)
        left -= hours
        worked = float(math.ceil(hours - 1e-9)) if gang.by_hour else hours
        shares.append((s, worked))
        if left <= 1e-9:
            return tuple(shares)
    return None
