"""Days that are alike, merged into periods: a relaxation, small enough to solve to a proof.

Every plan of the daily model is, averaged over the days of each period, a point of the merged one
that costs no more: a start lies between two corners of its group and covers exactly as much, and
what is whole in a day need only be whole on average. So the merged model's bound is a bound of
the daily model, and its solution tells which long terms and purchases are worth looking at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from optimizer.milp.instance import Instance, SlicePoint, Start

TIE = 1e-5
"""Relative cut of hourly prices by pool; downwards, so that the bound stays a bound."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged instance, and which daily starts each of its columns stands for."""

    instance: Instance
    starts: list[list[list[int]]]
    """[term offer][merged start] → indices of daily starts"""
    holds: list[list[list[int]]]
    """[asset][merged hold] → indices of daily holds"""


def merge_days(
    data: Instance, longest: int, groups: Sequence[Sequence[int]] | None = None
) -> Merged:
    """Merge equal neighbouring days into periods of at most `longest` days.

    Args:
        data: an exact instance; every day has the same slices, in the same order.
        groups: the days of each period; `alike_days` when left out.
    """
    groups = groups or alike_days((data,), longest)
    period_of_day = [p for p, days in enumerate(groups) for _ in days]
    per_day = len(data.slices) // len(data.period_days)
    slices = [s for days in groups for s in range(days[0] * per_day, (days[0] + 1) * per_day)]

    def cheapest(costs: Sequence[float], factor: float = 1.0) -> tuple[float, ...]:
        """[merged slice] least of the costs of its days"""
        if not costs:
            return ()
        return tuple(
            min(costs[t * per_day + k] for t in days) * factor
            for days in groups
            for k in range(per_day)
        )

    def favour(pool: int) -> float:
        """A hair below 1, so that of equally good pools the same one is always taken."""
        return 1 - TIE * (len(data.pools) - pool) / len(data.pools)

    merged_offers, start_sources = [], []
    for offer in data.term_offers:
        starts, sources = _merge_starts(offer.starts, groups, period_of_day, by_end=False)
        merged_offers.append(replace(offer, starts=starts))
        start_sources.append(sources)
    assets, hold_sources = [], []
    for asset in data.assets:
        holds, sources = _merge_starts(asset.holds, groups, period_of_day, by_end=True)
        assets.append(
            replace(
                asset,
                owned=tuple(asset.owned[days[0]] for days in groups),
                holds=holds,
                busy=cheapest(asset.busy),
                busy_cash=cheapest(asset.busy_cash),
            )
        )
        hold_sources.append(sources)
    instance = replace(
        data,
        period_days=tuple(len(days) for days in groups),
        slices=tuple(SlicePoint(period_of_day[s // per_day], data.slices[s].hours) for s in slices),
        month_of_period=tuple(data.month_of_period[days[0]] for days in groups),
        term_offers=tuple(merged_offers),
        hourly_offers=tuple(
            replace(o, cost=cheapest(o.cost, favour(o.pool))) for o in data.hourly_offers
        ),
        assets=tuple(assets),
        quotas=tuple(
            replace(quota, nodes=tuple(quota.nodes[days[0]] for days in groups))
            for quota in data.quotas
        ),
        services=tuple(
            replace(
                service,
                load=tuple(service.load[s] for s in slices),
                apis=tuple(
                    replace(a, cost=cheapest(a.cost), cash=cheapest(a.cash)) for a in service.apis
                ),
            )
            for service in data.services
        ),
        jobs=tuple(
            replace(
                job,
                gangs=tuple(
                    replace(g, hour_cost=cheapest(g.hour_cost, favour(g.pool))) for g in job.gangs
                ),
            )
            for job in data.jobs
        ),
    )
    return Merged(instance, start_sources, hold_sources)


def alike_days(
    instances: Sequence[Instance],
    longest: int,
    borders: Collection[int] = (),
    *,
    windows: bool = True,
) -> list[list[int]]:
    """Days of each period: neighbours that are equal in all instances, at most `longest`.

    Days are equal when every load, owned node and quota is, and no job's window opens or closes
    and no month ends between them.

    Args:
        borders: days on which a period begins in any case.
        windows: whether one begins and ends where the window of a job does; else a job may run in
            as much of a period as its window has of it.
    """
    borders = set(borders)
    for data in instances:
        for job in data.jobs if windows else ():
            borders |= {job.first, job.last + 1}
        # Resale days are few (ends of months), and worth a period's border.
        borders |= {hold.until for asset in data.assets for hold in asset.holds}

    groups: list[list[int]] = []
    for t in range(len(instances[0].period_days)):
        last = groups[-1][-1] if groups else t
        alike = groups and all(_signature(data, t) == _signature(data, last) for data in instances)
        if alike and t not in borders and len(groups[-1]) < longest:
            groups[-1].append(t)
        else:
            groups.append([t])
    return groups


def _signature(data: Instance, t: int) -> tuple[object, ...]:
    """What a day must share with its neighbours to be merged with them."""
    per_day = len(data.slices) // len(data.period_days)
    here = range(t * per_day, (t + 1) * per_day)
    return (
        data.month_of_period[t],
        tuple(service.load[s] for service in data.services for s in here),
        tuple(asset.owned[t] for asset in data.assets),
        tuple(quota.nodes[t] for quota in data.quotas),
    )


def _merge_starts(
    starts: Sequence[Start],
    groups: Sequence[Sequence[int]],
    period_of_day: Sequence[int],
    *,
    by_end: bool,
) -> tuple[tuple[Start, ...], list[list[int]]]:
    """Starts of one period become a few columns between which all of them lie.

    Args:
        by_end: keep starts with different ends apart (purchases, sold at different times).
    """
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, begin in enumerate(starts):
        sold = begin.until if by_end else 0
        together[period_of_day[begin.day], sold].append(i)
    merged, sources = [], []
    for group, members in enumerate(together.values()):
        shares = [_shares(starts[i], groups, period_of_day) for i in members]
        corners = _corners([starts[i] for i in members], shares)
        for n, corner in enumerate(corners):
            low = corners[n - 1] if n else corner
            high = corners[n + 1] if n + 1 < len(corners) else corner
            dear = max(_dearer(starts, members, low, corner, high, k) for k in range(low, high + 1))
            merged.append(
                replace(
                    starts[members[corner]],
                    cost=starts[members[corner]].cost - max(0.0, dear),
                    cover=tuple(sorted(shares[corner].items())),
                    group=group if len(corners) > 1 else -1,
                )
            )
            sources.append(members[low : high + 1])
    return tuple(merged), sources


def _corners(starts: Sequence[Start], shares: Sequence[dict[int, float]]) -> list[int]:
    """The starts between which all others lie: covering, and paying by the month, as their mean."""
    corners = [0]
    while corners[-1] < len(starts) - 1:
        first = corners[-1]
        last = first + 1
        while last + 1 < len(starts) and all(
            _between(starts, shares, first, k, last + 1) for k in range(first + 1, last + 1)
        ):
            last += 1
        corners.append(last)
    return corners


def _between(
    starts: Sequence[Start], shares: Sequence[dict[int, float]], low: int, k: int, high: int
) -> bool:
    """Whether start k is the mean of two others, weighed by its distance in days."""
    if not starts[low].cash == starts[k].cash == starts[high].cash:
        return False
    x = _weight(starts, low, k, high)
    periods = {*shares[low], *shares[k], *shares[high]}
    return all(
        abs(
            (1 - x) * shares[low].get(p, 0.0) + x * shares[high].get(p, 0.0) - shares[k].get(p, 0.0)
        )
        < 1e-9
        for p in periods
    )


def _weight(starts: Sequence[Start], low: int, k: int, high: int) -> float:
    return (starts[k].day - starts[low].day) / max(1, starts[high].day - starts[low].day)


def _dearer(
    starts: Sequence[Start], members: Sequence[int], low: int, corner: int, high: int, k: int
) -> float:
    """By how much the mean of two corners costs more than the start k that lies between them."""
    here = [starts[i] for i in members]
    a, b = (low, corner) if k <= corner else (corner, high)
    x = _weight(here, a, k, b)
    return (1 - x) * here[a].cost + x * here[b].cost - here[k].cost


def _shares(
    begin: Start, groups: Sequence[Sequence[int]], period_of_day: Sequence[int]
) -> dict[int, float]:
    """Period → share of its days that one daily start covers."""
    days: dict[int, int] = defaultdict(int)
    for t, _ in begin.cover:
        days[period_of_day[t]] += 1
    return {p: n / len(groups[p]) for p, n in days.items()}
