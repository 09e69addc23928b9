"""The least cost of a tiny instance by trying every plan, from the meaning of `Instance` alone.

Written without a look at the rows of the model: what is rented, held and run is enumerated; what is
left of each slice (replicas, hourly nodes, API) is then the cheapest of all that carry its load.
It relies on `tiny`: costs are cash of the same day, every day is a month, one term offer a pool,
hourly offers and assets only in pool 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeVar

from optimizer.milp.instance import Instance, Job, Service

INF = math.inf
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Way:
    """How one job is done: what it holds of pool 0, and what it pays, slice by slice."""

    pooled: tuple[int, ...]
    own: tuple[int, ...]
    """Of `pooled`, nodes that must be owned ones."""
    at_site: tuple[int, ...]
    """Of `pooled`, nodes that must be those of the term offer."""
    paid: tuple[float, ...]
    start: int
    """First day on which it runs."""
    finished: int
    """Day on which its work is done."""


def least_cost(data: Instance) -> float:
    """INF when there is no plan."""
    budget = data.limits.budget or (INF,) * len(data.period_days)
    per_day = len(data.slices) // len(data.period_days)
    best = INF
    slices: dict[tuple[object, ...], float] = {}
    combined = list(_combined(data))
    for terms in product(*(list(_orders(data, o)) for o in range(len(data.term_offers)))):
        nodes, rent = _rented(data, terms)
        for bought in range(int(data.assets[0].most) + 1) if data.assets else (0,):
            held = [bought + (data.assets[0].owned[t] if data.assets else 0) for t in _days(data)]
            price = data.assets[0].holds[0].cost * bought if bought else 0.0
            for way in combined:
                if any(way.at_site[s] > nodes[0][s // per_day] for s in range(len(data.slices))):
                    continue
                months = list(rent)
                months[0] += price
                for s in range(len(data.slices)):
                    t = s // per_day
                    here = tuple(level[t] for level in nodes)
                    key = (s, here, held[t], way.pooled[s], way.own[s])
                    if key not in slices:
                        slices[key] = _slice(data, s, here, held[t], way.pooled[s], way.own[s])
                    months[t] += way.paid[s] + slices[key]
                if all(paid <= limit + 1e-6 for paid, limit in zip(months, budget, strict=True)):
                    best = min(best, sum(months) + data.constant)
    return best


def _days(data: Instance) -> range:
    return range(len(data.period_days))


def _orders(data: Instance, o: int) -> Iterator[tuple[int, ...]]:
    """Units of a term offer started on each day, within its stock and its least order."""
    offer = data.term_offers[o]
    sizes = [0, *range(offer.least, int(offer.stock) + 1)]
    for units in product(sizes, repeat=len(offer.starts)):
        there = [0] * len(data.period_days)
        for begin, n in zip(offer.starts, units, strict=True):
            for t in range(begin.day, min(begin.until, len(there))):
                there[t] += n
        if max(there) <= offer.stock:
            yield units


def _rented(
    data: Instance, terms: tuple[tuple[int, ...], ...]
) -> tuple[list[list[int]], list[float]]:
    """[pool][day] nodes on terms, and [day] rent paid."""
    nodes = [[0] * len(data.period_days) for _ in data.pools]
    rent = [0.0] * len(data.period_days)
    for offer, units in zip(data.term_offers, terms, strict=True):
        for begin, n in zip(offer.starts, units, strict=True):
            rent[begin.day] += begin.cost * n
            for t in range(begin.day, min(begin.until, len(rent))):
                nodes[offer.pool][t] += n
    return nodes, rent


def _slice(
    data: Instance, s: int, nodes: tuple[int, ...], held: float, pooled: int, own: int
) -> float:
    """Cheapest way to carry the load of one slice beside the jobs; INF if there is none."""
    best = INF
    price = data.hourly_offers[0].cost[s] * data.slices[s].hours if data.hourly_offers else INF
    stock = data.hourly_offers[0].stock if data.hourly_offers else 0
    energy = data.assets[0].busy[s] if data.assets else 0.0
    for shares, cost in _served(data, s):
        if any(shares[p] > nodes[p] for p in range(1, len(data.pools))):
            continue
        need = shares[0] + pooled - nodes[0]
        for rented in range(max(0, math.ceil(need)) + 1):
            busy = max(need - rented, own, 0)
            if busy <= held and rented <= stock:
                extra = price * rented if rented else 0.0
                best = min(best, cost + extra + energy * busy)
    return best


def _served(data: Instance, s: int) -> Iterator[tuple[list[float], float]]:
    """(nodes by pool, API cost) of every useful number of replicas."""
    service: Service | None = data.services[0] if data.services else None
    load = service.load[s] if service else 0.0
    if service is None or not load:
        yield [0.0] * len(data.pools), 0.0
        return
    rates = [rate for r in service.replicas for rate in r.rates if rate]
    slowest = min(rates, default=1.0) if service.buckets else 1.0
    most = max(service.least_replicas, math.ceil(load * (1 + service.headroom) / slowest))
    for counts in product(range(most + 1), repeat=len(service.replicas)):
        shares = [0.0] * len(data.pools)
        carried = 0.0
        for n, replica in zip(counts, service.replicas, strict=True):
            shares[replica.pool] += n * replica.share
            carried += n * replica.capacity / (1 + service.headroom)
        left = 0.0 if service.buckets else max(0.0, load - carried)
        if sum(counts) < service.least_replicas or (left > 1e-9 and not service.apis):
            continue
        if service.buckets and not splits(service, load, counts):
            continue
        yield shares, left * service.apis[0].cost[s] if left > 1e-9 else 0.0


def splits(service: Service, load: float, counts: tuple[int, ...]) -> bool:
    """Whether the time of one or two kinds of replica suffices for all buckets, in exact numbers.

    The first kind takes the buckets at which it is best against the second, as far as its time
    goes; no other way of filling it leaves the second less to do.
    """
    rounding = Fraction(1, 10**9)
    time = [Fraction(n) for n in counts]
    factor = Fraction(load) * (1 + Fraction(service.headroom))
    asked = [Fraction(share) * factor for share in service.buckets]
    one = service.replicas[0].rates
    other = service.replicas[1].rates if len(counts) > 1 else (0.0,) * len(one)
    order = sorted(range(len(asked)), key=lambda b: -one[b] / other[b] if other[b] else -INF)
    for b in order:
        taken = min(asked[b], time[0] * Fraction(one[b]))
        time[0] -= taken / Fraction(one[b]) if one[b] else 0
        left = asked[b] - taken
        if left > rounding and not other[b]:
            return False
        if left > rounding:
            time[1] -= left / Fraction(other[b])
    return all(left >= -rounding for left in time)


# -- jobs ------------------------------------------------------------------------------------


def _combined(data: Instance) -> Iterator[Way]:
    """All jobs together, each starting after the day on which those before it are finished."""
    nothing = (0,) * len(data.slices)
    if not data.jobs:
        yield Way(nothing, nothing, nothing, tuple(0.0 for _ in nothing), 0, 0)
        return
    seen = set()
    for ways in product(*(list(_ways(data, job)) for job in data.jobs)):
        late = (
            ways[j].start > ways[i].finished for j, job in enumerate(data.jobs) for i in job.after
        )
        if all(late):
            whole = Way(
                pooled=_sums(way.pooled for way in ways),
                own=_sums(way.own for way in ways),
                at_site=_sums(way.at_site for way in ways),
                paid=_sums(way.paid for way in ways),
                start=0,
                finished=0,
            )
            if whole not in seen:
                seen.add(whole)
                yield whole


def _sums(rows: Iterable[tuple[N, ...]]) -> tuple[N, ...]:
    """Slice by slice."""
    return tuple(map(sum, zip(*rows, strict=True)))


def _ways(data: Instance, job: Job) -> Iterator[Way]:
    tried = _unbroken(data, job) if job.contiguous else _with_pauses(data, job)
    for plan in tried:
        way = _way(data, job, plan)
        if way is not None:
            yield way


Step = tuple[int, int]
"""(gang, hours it works); the gang is -1 when nothing runs"""


def _with_pauses(data: Instance, job: Job) -> Iterator[tuple[Step, ...]]:
    """In every slice nothing, one gang on the pool, or one gang for some hours."""
    choices = []
    for point in data.slices:
        steps: list[Step] = [(-1, 0)]
        for g, gang in enumerate(job.gangs):
            whole = int(point.hours)
            steps += [(g, n) for n in (range(1, whole + 1) if gang.hourly >= 0 else [whole])]
        choices.append(steps)
    return product(*choices)


def _unbroken(data: Instance, job: Job) -> Iterator[tuple[Step, ...]]:
    """One gang from the first slice of a day on, until the work is done."""
    per_day = len(data.slices) // len(data.period_days)
    for g, gang in enumerate(job.gangs):
        for begin in range(0, len(data.slices), per_day):
            steps: list[Step] = [(-1, 0)] * len(data.slices)
            left = job.work / gang.rate
            for s in range(begin, len(data.slices)):
                hours = data.slices[s].hours
                worked = min(hours, math.ceil(left - 1e-9)) if gang.hourly >= 0 else hours
                steps[s] = (g, int(worked))
                left -= worked
                if left <= 1e-9:
                    yield tuple(steps)
                    break


def _way(data: Instance, job: Job, steps: tuple[Step, ...]) -> Way | None:
    """What a plan of a job holds and pays; None when its work is not done, or done twice over."""
    per_day = len(data.slices) // len(data.period_days)
    pooled, own, at_site = ([0] * len(steps) for _ in range(3))
    paid = [0.0] * len(steps)
    done, start, finished, moved = 0.0, len(steps), -1, False
    for s, (g, hours) in enumerate(steps):
        if g < 0:
            continue
        if done >= job.work - 1e-9:
            return None
        gang = job.gangs[g]
        start = min(start, s // per_day)
        done += gang.rate * hours
        moved |= gang.rented
        if gang.hourly >= 0:
            paid[s] += gang.hour_cost[s] * hours
        else:
            pooled[s] += gang.nodes
            own[s] += gang.nodes * (gang.site == "own")
            at_site[s] += gang.nodes * (gang.site == "site-t0")
        if done >= job.work - 1e-9:
            finished = s // per_day
    if finished < 0:
        return None
    paid[0] += job.move_cost * moved
    return Way(tuple(pooled), tuple(own), tuple(at_site), tuple(paid), start, finished)
