"""What becomes of a plan when the schedule is changed a little: as it is, or near what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimizer.milp.first import is_plan
from optimizer.milp.instance import Instance, Solution, Start
from optimizer.milp.narrow import is_short
from optimizer.milp.polish import objective


def as_it_is(before: Instance, after: Instance, plan: Solution) -> float | None:
    """What a plan of the instance before costs in the one after; None: it is no plan of that."""
    if _named(before) != _named(after):
        return None
    start = _renumbered(
        plan.start,
        [offer.starts for offer in before.term_offers],
        [offer.starts for offer in after.term_offers],
    )
    hold = _renumbered(
        plan.hold,
        [asset.holds for asset in before.assets],
        [asset.holds for asset in after.assets],
    )
    if start is None or hold is None:
        return None
    same = replace(plan, start=start, hold=hold)
    return objective(after, same) if is_plan(after, same) else None


def with_commitments(before: Instance, after: Instance, plan: Solution) -> Instance:
    """The instance after with no other long terms and purchases than the plan has, which makes it
    small: its best plan is a plan, and mostly a good one. All of it where offers differ."""
    if _offers(before) != _offers(after):
        return after
    starts = {(o, _days(before.term_offers[o].starts[i])) for o, i in plan.start}
    holds = {(a, _days(before.assets[a].holds[i])) for a, i in plan.hold}
    return replace(
        after,
        term_offers=tuple(
            offer
            if is_short(offer)
            else replace(offer, starts=tuple(x for x in offer.starts if (o, _days(x)) in starts))
            for o, offer in enumerate(after.term_offers)
        ),
        assets=tuple(
            replace(asset, holds=tuple(x for x in asset.holds if (a, _days(x)) in holds))
            for a, asset in enumerate(after.assets)
        ),
    )


def _days(begin: Start) -> tuple[int, int]:
    return begin.day, begin.until


def _named(data: Instance) -> object:
    """What the numbers of a solution stand for, but for days: those may be other ones."""
    return (
        _offers(data),
        [offer.name for offer in data.hourly_offers],
        [(job.name, [(g.pool, g.nodes, g.site, g.hourly) for g in job.gangs]) for job in data.jobs],
        [
            (service.name, [(r.pool, r.share) for r in service.replicas], len(service.apis))
            for service in data.services
        ],
    )


def _offers(data: Instance) -> list[str]:
    """What can be had for long: terms and purchases."""
    return [*(offer.name for offer in data.term_offers), *(asset.name for asset in data.assets)]


def _renumbered(
    used: Mapping[tuple[int, int], int],
    before: Sequence[Sequence[Start]],
    after: Sequence[Sequence[Start]],
) -> dict[tuple[int, int], int] | None:
    """The same terms or purchases, by their numbers after; None: one of them cannot be had."""
    found = {}
    for (n, i), units in used.items():
        there = (k for k, x in enumerate(after[n]) if _days(x) == _days(before[n][i]))
        number = next(there, None)
        if number is None:
            return None
        found[n, number] = units
    return found
