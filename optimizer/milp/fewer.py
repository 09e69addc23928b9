"""An instance with the offers of some sellers only, and its solutions in the numbers of all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from optimizer.milp.instance import INF, Choice, Instance, Job, Lot, Service, Solution

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fewer:
    """An instance in which sellers are no longer counted; lists go from its numbers to all."""

    instance: Instance
    terms: list[int]
    hourly: list[int]
    apis: list[list[int]]
    """[service]"""
    gangs: list[list[int]]
    """[job]"""

    def widened(self, found: Solution) -> Solution:
        """A solution of it, in the numbers of the whole instance."""
        return replace(
            found,
            start={(self.terms[o], i): n for (o, i), n in found.start.items()},
            hourly={(self.hourly[h], s): n for (h, s), n in found.hourly.items()},
            api={(v, self.apis[v][a], s): x for (v, a, s), x in found.api.items()},
            run={(j, self.gangs[j][g], s): n for (j, g, s), n in found.run.items()},
            hours={(j, self.gangs[j][g], s): n for (j, g, s), n in found.hours.items()},
        )


def only_sellers(data: Instance, within: Collection[int]) -> Fewer:
    """
    Args:
        within: numbers of the counted choices whose offers stay; what no seller offers stays too.
    """
    out = [c for x, c in enumerate(data.choices) if c.counted and x not in within]
    gone_terms = {o for choice in out for o in choice.terms}
    gone_hourly = {h for choice in out for h in choice.hourly}
    gone_apis = {pair for choice in out for pair in choice.apis}
    terms = [o for o in range(len(data.term_offers)) if o not in gone_terms]
    hourly = [h for h in range(len(data.hourly_offers)) if h not in gone_hourly]
    apis = [
        [a for a in range(len(service.apis)) if (v, a) not in gone_apis]
        for v, service in enumerate(data.services)
    ]
    gangs = [
        [g for g, gang in enumerate(job.gangs) if gang.hourly not in gone_hourly]
        for job in data.jobs
    ]
    term_here = {o: n for n, o in enumerate(terms)}
    hour_here = {-1: -1} | {h: n for n, h in enumerate(hourly)}
    lots = (_lot(lot, term_here, hour_here) for lot in data.lots)
    rest = (c for c in data.choices if not c.counted)
    instance = replace(
        data,
        term_offers=_kept(data.term_offers, terms),
        hourly_offers=_kept(data.hourly_offers, hourly),
        services=tuple(map(_service, data.services, apis)),
        jobs=tuple(_job(job, ids, hour_here) for job, ids in zip(data.jobs, gangs, strict=True)),
        lots=tuple(lot for lot in lots if lot.terms or lot.hourly),
        choices=tuple(_choice(choice, term_here, hour_here, apis) for choice in rest),
        limits=replace(data.limits, sellers=INF),
    )
    return Fewer(instance, terms, hourly, apis, gangs)


def _kept(things: Sequence[T], ids: Sequence[int]) -> tuple[T, ...]:
    return tuple(things[n] for n in ids)


def _service(service: Service, ids: Sequence[int]) -> Service:
    return replace(service, apis=_kept(service.apis, ids))


def _job(job: Job, ids: Sequence[int], hour_here: dict[int, int]) -> Job:
    gangs = (replace(g, hourly=hour_here[g.hourly]) for g in _kept(job.gangs, ids))
    return replace(job, gangs=tuple(gangs))


def _lot(lot: Lot, term_here: dict[int, int], hour_here: dict[int, int]) -> Lot:
    return replace(
        lot,
        terms=tuple((term_here[o], n) for o, n in lot.terms if o in term_here),
        hourly=tuple((hour_here[h], n) for h, n in lot.hourly if h in hour_here),
    )


def _choice(
    choice: Choice, term_here: dict[int, int], hour_here: dict[int, int], apis: list[list[int]]
) -> Choice:
    return replace(
        choice,
        terms=tuple(term_here[o] for o in choice.terms if o in term_here),
        hourly=tuple(hour_here[h] for h in choice.hourly if h in hour_here),
        apis=tuple((v, apis[v].index(a)) for v, a in choice.apis if a in apis[v]),
    )
