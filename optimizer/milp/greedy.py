"""A plan at once, without a solver: each workload on what is cheapest for it beside the others.

Workloads take, one after the other, the configuration that adds least to the cost of supplying all
nodes (`cover`); a second look lets each change its mind. What comes out is checked against the
rows of the model, so that it is a plan or nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from optimizer.milp.cover import Stock, Supplier
from optimizer.milp.cuts import pool_prices
from optimizer.milp.instance import (
    INF,
    Instance,
    Job,
    ReplicaOption,
    Service,
    Solution,
    TermOffer,
)
from optimizer.milp.polish import objective
from optimizer.milp.variables import contiguous_shares

LOOKS = 2
"""How often each workload chooses."""
CANDIDATES = 6
"""Configurations that a workload compares beside the others; the cheapest at usual prices."""
MOST_DAYS = 60_000
"""So many days of one node may be looked at; after that a workload is judged by itself."""

Place = tuple[int, str]
"""(pool, site); an empty site is any."""


@dataclass(frozen=True, slots=True)
class Way:
    """One configuration of one workload: what it needs of each place, and what it pays itself."""

    needs: tuple[tuple[Place, tuple[tuple[int, float], ...]], ...]
    """(place, (slice, share of nodes) …)"""
    cost: float = 0.0
    serve: tuple[tuple[tuple[int, int, int], int], ...] = ()
    api: tuple[tuple[tuple[int, int, int], float], ...] = ()
    run: tuple[tuple[int, int, int], ...] = ()
    hours: tuple[tuple[tuple[int, int, int], int], ...] = ()
    last_day: int = -1
    moved: bool = False


@dataclass(slots=True)
class Desk:
    """Suppliers by place, and what they ask for needs seen before."""

    data: Instance
    long: bool
    suppliers: dict[Place, Supplier] = field(default_factory=dict)
    prices: dict[tuple[Place, tuple[int, ...]], float] = field(default_factory=dict)
    days: int = 0
    """Days of one node that were looked at."""
    usual: list[list[float]] = field(init=False)
    """Prices of a node-hour by pool: by the hour, and the lowest of all."""

    def __post_init__(self) -> None:
        self.usual = pool_prices(self.data)

    def at(self, place: Place) -> Supplier:
        if place not in self.suppliers:
            self.suppliers[place] = Supplier(self.data, *place, long=self.long)
        return self.suppliers[place]

    def price(self, place: Place, need: tuple[int, ...]) -> float:
        key = (place, need)
        if key not in self.prices:
            wanted = [s for s, n in enumerate(need) if n]
            span = (
                (wanted[-1] - wanted[0]) * len(self.data.period_days) // len(need) if wanted else 0
            )
            self.days += span * len(set(need))
            self.prices[key] = self.at(place).supply(need, Stock(self.data)).cost
        return self.prices[key]

    def added(self, way: Way, needs: Needs) -> float:
        """What a way adds to the price of everything; to nothing where time has run out."""
        total = way.cost
        for place, _ in way.needs:
            beside = needs if self.days < MOST_DAYS else Needs(needs.n_slices)
            without = self.price(place, beside.nodes(place))
            beside.add(way)
            total += self.price(place, beside.nodes(place)) - without
            beside.add(way, -1.0)
        return total


class Needs:
    """Nodes that all workloads together need, by place and slice."""

    def __init__(self, n_slices: int) -> None:
        self.n_slices = n_slices
        self.shares: dict[Place, list[float]] = {}

    def add(self, way: Way, sign: float = 1.0) -> None:
        for place, slices in way.needs:
            here = self.at(place)
            for s, share in slices:
                here[s] += sign * share

    @classmethod
    def of(cls, data: Instance, used: Solution) -> Needs:
        """What services and jobs of a solution take of each pool; gangs at their sites."""
        needs = cls(len(data.slices))
        for (i, c, s), n in used.serve.items():
            replica = data.services[i].replicas[c]
            needs.at((replica.pool, ""))[s] += replica.share * n
        for (j, g, s), on in used.run.items():
            gang = data.jobs[j].gangs[g]
            needs.at((gang.pool, gang.site))[s] += gang.nodes * on
        return needs

    def at(self, place: Place) -> list[float]:
        return self.shares.setdefault(place, [0.0] * self.n_slices)

    def nodes(self, place: Place) -> tuple[int, ...]:
        return tuple(math.ceil(x - 1e-6) for x in self.shares.get(place, [0.0] * self.n_slices))


def greedy(data: Instance, *, long: bool = True) -> Solution | None:
    """A plan of an exact instance, or None where this road finds none.

    Args:
        long: whether long terms and purchases are looked at; without them money leaves late.
    """
    if data.least_bought or any(choice.least for choice in data.choices):
        return None
    if not long:
        data = replace(data, term_offers=tuple(_only_short(data)))
    desk = Desk(data, long)
    needs = Needs(len(data.slices))
    chosen: dict[tuple[str, int], Way] = {}
    for look in range(LOOKS):
        for what in _order(data):
            if look and desk.days > MOST_DAYS:
                break
            before = chosen.get(what)
            if before is not None:
                needs.add(before, -1.0)
            way = _best(data, what, needs, chosen, desk)
            if way is None:
                return None
            chosen[what] = way
            needs.add(way)
    return _together(data, needs, list(chosen.values()), desk)


def _only_short(data: Instance) -> Iterator[TermOffer]:
    for offer in data.term_offers:
        short = all(len(begin.cover) <= 7 for begin in offer.starts)
        yield offer if short else replace(offer, starts=())


def _order(data: Instance) -> list[tuple[str, int]]:
    """Services first, then jobs so that each comes after those it waits for."""
    order: list[tuple[str, int]] = [("service", i) for i in range(len(data.services))]
    placed: set[int] = set()
    while len(placed) < len(data.jobs):
        ready = [
            j
            for j, job in enumerate(data.jobs)
            if j not in placed and all(i in placed for i in job.after)
        ]
        if not ready:
            raise ValueError("jobs wait for each other in a circle")
        placed |= set(ready)
        order += [("job", j) for j in sorted(ready, key=lambda j: (data.jobs[j].last, j))]
    return order


def _best(
    data: Instance,
    what: tuple[str, int],
    needs: Needs,
    chosen: dict[tuple[str, int], Way],
    desk: Desk,
) -> Way | None:
    """The configuration that adds least beside the others; None when none can be had."""
    kind, n = what
    if kind == "service":
        ways = list(_service_ways(data, n, desk.usual))
    else:
        before = [chosen["job", i].last_day for i in data.jobs[n].after]
        # Those that wait for it were placed after it once; they must not overtake now.
        after = [
            min((s for s, _ in _slices(way)), default=len(data.slices))
            for (k, j), way in chosen.items()
            if k == "job" and n in data.jobs[j].after
        ]
        first = max(before, default=-1) + 1
        per_day = len(data.slices) // len(data.period_days)
        ways = list(_job_ways(data, n, first, min(after, default=len(data.slices)) // per_day - 1))
    usual = desk.usual[0 if kind == "job" else 1]
    ways.sort(key=lambda way: way.cost + _at_prices(data, way, usual))
    priced = [(desk.added(way, needs), n) for n, way in enumerate(ways[:CANDIDATES])]
    price, best = min(priced, default=(INF, 0))
    return ways[best] if price < INF else None


def _slices(way: Way) -> Iterator[tuple[int, int]]:
    yield from ((s, g) for _, g, s in way.run)
    yield from ((s, g) for (_, g, s), _ in way.hours)


def _at_prices(data: Instance, way: Way, prices: Sequence[float]) -> float:
    return sum(
        share * data.slices[s].hours * prices[pool]
        for (pool, _), slices in way.needs
        for s, share in slices
    )


def _service_ways(data: Instance, i: int, usual: Sequence[Sequence[float]]) -> Iterator[Way]:
    """All load on replicas of one size, or all of it through one API."""
    service = data.services[i]
    if service.buckets:
        yield from _mix_ways(data, i, usual)
        return
    loaded = [s for s, load in enumerate(service.load) if load]
    for c, replica in enumerate(service.replicas):
        counts = {s: _replicas(service, replica.capacity, s) for s in loaded}
        yield Way(
            (((replica.pool, ""), tuple((s, n * replica.share) for s, n in counts.items())),),
            serve=tuple(((i, c, s), n) for s, n in counts.items()),
        )
    for a, api in enumerate(service.apis if not service.least_replicas else ()):
        yield Way(
            (),
            sum(api.cost[s] * service.load[s] for s in loaded),
            api=tuple(((i, a, s), service.load[s]) for s in loaded),
        )


def _mix_ways(data: Instance, i: int, usual: Sequence[Sequence[float]]) -> Iterator[Way]:
    """All sizes on replicas of one kind, each on its own cheapest, or all through APIs."""
    service = data.services[i]
    kinds = [(c,) * len(service.buckets) for c, r in enumerate(service.replicas) if all(r.rates)]
    for prices in usual:
        cheapest = [
            min(
                ((r.share * prices[r.pool] / r.rates[b], c) for c, r in _serving(service, b)),
                default=None,
            )
            for b in range(len(service.buckets))
        ]
        kinds.append(tuple(best[1] for best in cheapest if best))
    for kind in dict.fromkeys(kinds):
        if len(kind) == len(service.buckets):
            yield _by_size(data, i, kind)
    sold = [
        min(((sum(x.cost), a) for a, x in enumerate(service.apis) if x.bucket == b), default=None)
        for b in range(len(service.buckets))
    ]
    if all(sold) and not service.least_replicas:
        loads = {
            (i, best[1], s): service.bucket_load(b, s)
            for b, best in enumerate(sold)
            for s, load in enumerate(service.load)
            if best and load
        }
        cost = sum(service.apis[a].cost[s] * load for (_, a, s), load in loads.items())
        yield Way((), cost, api=tuple(loads.items()))


def _serving(service: Service, b: int) -> Iterator[tuple[int, ReplicaOption]]:
    return ((c, r) for c, r in enumerate(service.replicas) if r.rates[b])


def _by_size(data: Instance, i: int, kind: Sequence[int]) -> Way:
    """Requests of each size b on replicas of size kind[b]."""
    service = data.services[i]
    needs: dict[Place, list[tuple[int, float]]] = defaultdict(list)
    serve: list[tuple[tuple[int, int, int], int]] = []
    for s, load in enumerate(service.load):
        busy: dict[int, float] = defaultdict(float)
        for b, c in enumerate(kind if load else ()):
            busy[c] += service.busy_replicas(b, c, s)
        for c, n in sorted(busy.items()):
            count = max(service.least_replicas, math.ceil(n - 1e-9))
            replica = service.replicas[c]
            needs[replica.pool, ""].append((s, count * replica.share))
            serve.append(((i, c, s), count))
    return Way(tuple((place, tuple(taken)) for place, taken in needs.items()), serve=tuple(serve))


def _replicas(service: Service, capacity: float, s: int) -> int:
    load = service.load[s] * (1 + service.headroom)
    return max(service.least_replicas, math.ceil(load / capacity - 1e-9))


def _job_ways(data: Instance, j: int, first: int, last: int) -> Iterator[Way]:
    """Each gang, from as early as it may run, and up to as late as it may end."""
    job = data.jobs[j]
    for g, gang in enumerate(job.gangs):
        starts = [max(job.first, first)]
        for begin in starts:
            shares = _shares(data, job, g, begin, min(job.last, last))
            if not shares:
                continue
            paid = 0.0
            if gang.hourly >= 0:
                paid = sum(gang.hour_cost[s] * hours for s, hours in shares)
            if paid == INF or (gang.quota >= 0):
                continue
            moved = gang.rented and bool(job.move_cost or job.move_cash)
            per_day = len(data.slices) // len(data.period_days)
            taken = tuple((s, float(gang.nodes)) for s, _ in shares)
            yield Way(
                () if gang.by_hour else (((gang.pool, gang.site), taken),),
                paid + (job.move_cost if moved else 0.0),
                run=() if gang.by_hour else tuple((j, g, s) for s, _ in shares),
                hours=tuple(((j, g, s), round(n)) for s, n in shares) if gang.by_hour else (),
                last_day=shares[-1][0] // per_day,
                moved=moved,
            )


def _shares(
    data: Instance, job: Job, g: int, first: int, last: int
) -> Sequence[tuple[int, float]] | None:
    """(slice, hours worked) from a day on; None when the window ends too early."""
    gang = job.gangs[g]
    if not gang.rate:
        return None
    if job.contiguous:
        return contiguous_shares(data, replace(job, last=last), gang, first)
    left, shares = job.work / gang.rate, []
    for s in data.slices_of_days(first, last):
        if gang.hourly >= 0 and gang.hour_cost[s] == INF:
            continue
        hours = min(float(math.ceil(left - 1e-9)), data.slices[s].hours)
        shares.append((s, hours))
        left -= hours
        if left <= 1e-9:
            return shares
    return None


def _together(data: Instance, needs: Needs, ways: Sequence[Way], desk: Desk) -> Solution | None:
    """All ways, supplied from one stock."""
    moved = {key[0] for way in ways if way.moved for key in (*way.run, *(k for k, _ in way.hours))}
    used = Solution(
        objective=INF,
        bound=-INF,
        start={},
        hourly={},
        hold={},
        busy={},
        free={},
        serve={key: n for way in ways for key, n in way.serve if n},
        api={key: x for way in ways for key, x in way.api},
        run=dict.fromkeys((key for way in ways for key in way.run), 1),
        hours={key: n for way in ways for key, n in way.hours},
        moved=tuple(sorted(moved)),
    )
    return supplied(data, used, needs, desk)


def supplied(data: Instance, used: Solution, needs: Needs, desk: Desk) -> Solution | None:
    """The solution with all nodes it needs rented and bought anew; None when they are not there."""
    stock = Stock(data)
    # What must stand at one site comes first: the rest may stand anywhere.
    places = sorted(needs.shares, key=lambda place: (not place[1], place))
    parts = [desk.at(place).supply(needs.nodes(place), stock) for place in places]
    if any(part.short for part in parts):
        return None
    nodes: dict[str, dict[tuple[int, int], int]] = {"start": {}, "hold": {}, "hourly": {}}
    busy: dict[tuple[int, int], float] = defaultdict(float)
    free: dict[tuple[int, int], float] = defaultdict(float)
    for part in parts:
        for (kind, n, i), count in part.nodes.items():
            nodes[kind][n, i] = nodes[kind].get((n, i), 0) + count
        for key, x in part.busy.items():
            busy[key] += x
        for key, x in part.free.items():
            free[key] += x
    found = replace(
        used,
        start=nodes["start"],
        hourly=nodes["hourly"],
        hold=nodes["hold"],
        busy=dict(busy),
        free=dict(free),
    )
    return replace(found, objective=objective(data, found))
