"""Some days of an instance by themselves, with what is rented for long and owned as it is.

Long terms, purchases and whatever else runs there are given; what is left to decide hardly depends
on other days, and is a small instance of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from optimizer.milp.instance import (
    Asset,
    HourlyOffer,
    Instance,
    Job,
    ReplicaOption,
    Service,
    SlicePoint,
    Solution,
    TermOffer,
)

TIE = 1e-7
"""Relative extra cost by pool, so that equal answers are chosen the same way every time."""
Levels = list[list[int]]
Running = Mapping[tuple[int, int], float]
"""(pool, slice) → nodes in use"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a plan is given in all stretches of it."""

    data: Instance
    by_day: list[dict[int, int] | None]
    """[term offer] day → its start, of those for single days: each day may take its own"""
    rented: Levels
    """[term offer][day] units of longer terms"""
    held: Levels
    """[asset][day] nodes owned or bought"""

    @classmethod
    def of(cls, data: Instance, plan: Solution) -> Kept:
        short = by_the_day(data)
        days = [
            {s.day: i for i, s in enumerate(offer.starts)} if is_short else None
            for offer, is_short in zip(data.term_offers, short, strict=True)
        ]
        rented = [[0] * len(data.period_days) for _ in data.term_offers]
        for (o, i), units in plan.start.items():
            if not short[o]:
                for t, _ in data.term_offers[o].starts[i].cover:
                    rented[o][t] += units
        held = [[int(n) for n in asset.owned] for asset in data.assets]
        for (a, i), nodes in plan.hold.items():
            for t, _ in data.assets[a].holds[i].cover:
                held[a][t] += nodes
        return cls(data, days, rented, held)


@dataclass(frozen=True)
class Stretch:
    """Some days of an instance, and what solutions of them are in the whole one."""

    kept: Kept
    first: int
    """First day"""
    days: int
    running: Running
    """What runs there whatever is decided"""
    served: bool = True
    """Whether the services are to be decided"""
    jobs: Sequence[int] = ()
    """Those to be decided, whose windows lie within these days"""
    gangs: Sequence[Sequence[int]] = ()
    """What they may choose among"""
    tied: bool = False
    """All days of an instance that ties days together: limits and so on stay"""

    @property
    def here(self) -> slice:
        data = self.kept.data
        per_day = len(data.slices) // len(data.period_days)
        return slice(self.first * per_day, (self.first + self.days) * per_day)

    @cached_property
    def instance(self) -> Instance:
        data, here = self.kept.data, self.here
        days = slice(self.first, self.first + self.days)
        whole = replace(data, least_bought=(), constant=0.0)
        return replace(
            whole if self.tied else Instance((), (), data.pools, ()),
            period_days=(1,) * self.days,
            slices=tuple(SlicePoint(p.period - self.first, p.hours) for p in data.slices[here]),
            month_of_period=data.month_of_period[days] if self.tied else (0,) * self.days,
            term_offers=tuple(self._terms()),
            hourly_offers=tuple(_hourly(offer, here) for offer in data.hourly_offers),
            assets=tuple(self._assets(days)),
            services=(
                *(_service(service, here) for service in data.services if self.served),
                *self._fixed(),
            ),
            jobs=tuple(map(self._job, self.jobs, self.gangs)),
        )

    def _starts(self, o: int) -> list[tuple[int, int]]:
        """(day of the stretch, start of the whole instance) by the starts of the stretch"""
        starts = self.kept.by_day[o]
        days = range(self.first, self.first + self.days)
        return [(t - self.first, starts[t]) for t in days if t in starts] if starts else []

    def _terms(self) -> Iterator[TermOffer]:
        for o, offer in enumerate(self.kept.data.term_offers):
            starts = (
                replace(
                    offer.starts[i],
                    cost=offer.starts[i].cost * (1 + TIE * offer.pool),
                    cover=((t, 1.0),),
                    day=t,
                    until=t + 1,
                )
                for t, i in self._starts(o)
            )
            yield replace(offer, starts=tuple(starts))

    def _assets(self, days: slice) -> Iterator[Asset]:
        here = self.here
        for asset, level in zip(self.kept.data.assets, self.kept.held, strict=True):
            owned = tuple(map(float, level[days]))
            busy, cash = asset.busy[here], asset.busy_cash[here]
            yield replace(asset, owned=owned, holds=(), busy=busy, busy_cash=cash)
        free = (0.0,) * (here.stop - here.start)
        for offer, level in zip(self.kept.data.term_offers, self.kept.rented, strict=True):
            rented = tuple(map(float, level[days]))
            yield Asset(offer.name, offer.pool, rented, (), 0.0, free, free, site=offer.site)

    def _fixed(self) -> Iterator[Service]:
        """A service a pool that stands for what runs there."""
        slices = range(self.here.start, self.here.stop)
        for p in range(len(self.kept.data.pools)):
            nodes = tuple(float(self.running.get((p, s), 0.0)) for s in slices)
            yield Service(f"on pool {p}", nodes, 0.0, (ReplicaOption(p, 1.0, 1.0),), ())

    def _job(self, j: int, ids: Sequence[int]) -> Job:
        job = self.kept.data.jobs[j]
        gangs = (replace(job.gangs[g], hour_cost=job.gangs[g].hour_cost[self.here]) for g in ids)
        return replace(
            job,
            first=job.first - self.first,
            last=job.last - self.first,
            gangs=tuple(gangs),
            after=tuple(self.jobs.index(other) for other in job.after),
        )

    def covers(self, s: int) -> bool:
        """Whether a slice of the whole instance lies in it."""
        here = self.here
        return bool(here.start <= s < here.stop)

    def widened(self, found: Solution) -> Solution:
        """What is decided in a solution of it, in the numbers of the whole instance."""
        data, at = self.kept.data, self.here.start
        starts = {o: self._starts(o) for o, _ in found.start}
        ours = range(len(data.services) if self.served else 0)

        def gang(j: int, g: int) -> tuple[int, int]:
            return self.jobs[j], self.gangs[j][g]

        return replace(
            found,
            start={(o, starts[o][i][1]): n for (o, i), n in found.start.items()},
            hourly={(o, at + s): n for (o, s), n in found.hourly.items()},
            busy={(a, at + s): n for (a, s), n in found.busy.items() if a < len(data.assets)},
            serve={(v, c, at + s): n for (v, c, s), n in found.serve.items() if v in ours},
            api={(v, a, at + s): n for (v, a, s), n in found.api.items() if v in ours},
            run={(*gang(j, g), at + s): n for (j, g, s), n in found.run.items()},
            hours={(*gang(j, g), at + s): n for (j, g, s), n in found.hours.items()},
            moved=tuple(self.jobs[j] for j in found.moved),
        )

    def narrowed(self, plan: Solution) -> Solution:
        """What a plan does within it."""
        data, at = self.kept.data, self.here.start
        owned, services = len(data.assets), len(data.services) if self.served else 0
        index = {o: {i: k for k, (_, i) in enumerate(self._starts(o))} for o, _ in plan.start}
        job_of = {j: n for n, j in enumerate(self.jobs)}

        def gang(j: int, g: int) -> tuple[int, int]:
            return job_of[j], self.gangs[job_of[j]].index(g)

        start = {(o, index[o][i]): n for (o, i), n in plan.start.items() if i in index[o]}
        busy = {(a, s - at): n for (a, s), n in plan.busy.items() if self.covers(s)}
        serve = {(v, c, s - at): n for (v, c, s), n in plan.serve.items() if self.covers(s)}
        for s, point in enumerate(self.instance.slices):
            rented = enumerate(self.instance.assets[owned:], owned)
            busy |= {(a, s): x.owned[point.period] for a, x in rented if x.owned[point.period]}
            fixed = enumerate(self.instance.services[services:], services)
            serve |= {(v, 0, s): round(x.load[s]) for v, x in fixed if x.load[s]}
        return replace(
            plan,
            start=start,
            hourly={(o, s - at): n for (o, s), n in plan.hourly.items() if self.covers(s)},
            hold={},
            busy=busy,
            serve=serve,
            api={(v, a, s - at): n for (v, a, s), n in plan.api.items() if self.covers(s)},
            run={(*gang(j, g), s - at): n for (j, g, s), n in plan.run.items() if j in job_of},
            hours={(*gang(j, g), s - at): n for (j, g, s), n in plan.hours.items() if j in job_of},
            moved=tuple(job_of[j] for j in plan.moved if j in job_of),
        )


def by_the_day(data: Instance) -> list[bool]:
    """[term offer] whether it is for single days, so that each day may take its own."""
    return [all(len(s.cover) <= 1 for s in offer.starts) for offer in data.term_offers]


def running(data: Instance, plan: Solution) -> dict[tuple[int, int], float]:
    """(pool, slice) → nodes that jobs hold on capacity of the pool."""
    nodes: dict[tuple[int, int], float] = defaultdict(float)
    for (j, g, s), on in plan.run.items():
        gang = data.jobs[j].gangs[g]
        nodes[gang.pool, s] += gang.nodes * on
    return nodes


def _hourly(offer: HourlyOffer, here: slice) -> HourlyOffer:
    return replace(offer, cost=tuple(x * (1 + TIE * offer.pool) for x in offer.cost[here]))


def _service(service: Service, here: slice) -> Service:
    nothing = (0.0,) * (here.stop - here.start)
    apis = tuple(replace(api, cost=api.cost[here], cash=nothing) for api in service.apis)
    return replace(service, load=service.load[here], apis=apis)
