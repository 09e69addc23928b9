"""Smaller daily instances: only what a relaxation found worth a place, or only what is plain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optimizer.milp.cuts import pool_prices
from optimizer.milp.encode import TINY, positive
from optimizer.milp.instance import Instance, Solution, TermOffer
from optimizer.milp.merge import Merged
from optimizer.milp.variables import Variables

SHORT_TERM_DAYS = 7
"""Terms up to this long stay free in the daily model, wherever the merged one put them."""
CHEAP_POOLS = 2
"""Cheapest pools of each workload that the daily model keeps in any case."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A daily instance with fewer starts and holds, and which of the whole one's they are."""

    instance: Instance
    starts: list[list[int]]
    """[term offer][its start here] → index in the whole instance"""
    holds: list[list[int]]

    def widened(self, found: Solution) -> Solution:
        """A solution of it, in the numbers of the whole instance."""
        return replace(
            found,
            start={(o, self.starts[o][i]): n for (o, i), n in found.start.items()},
            hold={(a, self.holds[a][i]): n for (a, i), n in found.hold.items()},
        )

    def narrowed(self, found: Solution) -> Solution:
        """The other way round; what has no place here is left out."""
        start_ids = [{i: k for k, i in enumerate(ids)} for ids in self.starts]
        hold_ids = [{i: k for k, i in enumerate(ids)} for ids in self.holds]
        return replace(
            found,
            start={
                (o, start_ids[o][i]): n for (o, i), n in found.start.items() if i in start_ids[o]
            },
            hold={(a, hold_ids[a][i]): n for (a, i), n in found.hold.items() if i in hold_ids[a]},
        )


def narrow(
    data: Instance, merged: Merged, v: Variables, values: Sequence[float], beside: Solution | None
) -> Narrowed:
    """Long terms and purchases only where the merged solution, or the plan beside it, has them."""
    used_starts, used_holds = set(positive(v.start, values)), set(positive(v.hold, values))
    ours = (set(beside.start), set(beside.hold)) if beside else (set(), set())
    start_ids, offers = [], []
    for o, offer in enumerate(data.term_offers):
        if is_short(offer):
            kept = list(range(len(offer.starts)))
        else:
            wanted = {
                i for m, ids in enumerate(merged.starts[o]) if (o, m) in used_starts for i in ids
            }
            kept = sorted(wanted | {i for n, i in ours[0] if n == o})
        start_ids.append(kept)
        offers.append(replace(offer, starts=tuple(offer.starts[i] for i in kept)))
    hold_ids, assets = [], []
    for a, asset in enumerate(data.assets):
        wanted = {i for m, ids in enumerate(merged.holds[a]) if (a, m) in used_holds for i in ids}
        kept = sorted(wanted | {i for n, i in ours[1] if n == a})
        hold_ids.append(kept)
        assets.append(replace(asset, holds=tuple(asset.holds[i] for i in kept)))
    narrowed = replace(data, term_offers=tuple(offers), assets=tuple(assets))
    return Narrowed(narrowed, start_ids, hold_ids)


def plain(data: Instance) -> tuple[Instance, set[int]]:
    """Nothing bought, nothing long, and each workload's cheapest pools: small, seldom good."""
    short = replace(
        data,
        term_offers=tuple(
            offer if is_short(offer) else replace(offer, starts=()) for offer in data.term_offers
        ),
        assets=tuple(replace(asset, holds=()) for asset in data.assets),
    )
    there = {asset.pool for asset in data.assets if any(asset.owned)}
    return short, pools_cheap(data) | there | {quota.pool for quota in data.quotas}


def is_short(offer: TermOffer) -> bool:
    return all(len(begin.cover) <= SHORT_TERM_DAYS for begin in offer.starts)


def pools_used(data: Instance, v: Variables, values: Sequence[float]) -> set[int]:
    """Pools on which anything runs in a solution of the merged model."""
    used = {data.services[i].replicas[c].pool for (i, c, s) in positive(v.serve, values)}
    used |= {data.jobs[j].gangs[g].pool for (j, g, s) in positive(v.run, values)}
    used |= {data.jobs[j].gangs[g].pool for (j, g, s) in positive(v.hours, values)}
    ways = (way for column, way in v.whole_run.items() if values[column] > TINY)
    used |= {data.jobs[way.job].gangs[way.gang].pool for way in ways}
    return used


def pools_cheap(data: Instance) -> set[int]:
    """The pools that are cheapest by the hour for each workload: never a bad second choice."""
    by_hour = pool_prices(data)[0]
    pools: set[int] = set()
    for service in data.services:
        for b in range(max(1, len(service.buckets))):
            rates = [(r, r.rates[b] if service.buckets else r.capacity) for r in service.replicas]
            prices = {r.pool: r.share * by_hour[r.pool] / rate for r, rate in rates if rate}
            pools |= set(sorted(prices, key=lambda p: (prices[p], p))[:CHEAP_POOLS])
    for job in data.jobs:
        gangs = [g for g in job.gangs if g.hourly >= 0 and g.rate]
        costs = {g.pool: g.hour_cash / g.rate for g in gangs}
        pools |= set(sorted(costs, key=lambda p: (costs[p], p))[:CHEAP_POOLS])
    return pools


def pools_of(data: Instance, found: Solution) -> set[int]:
    """Pools on which anything runs in a plan."""
    used = {data.services[i].replicas[c].pool for i, c, _ in found.serve}
    return used | {data.jobs[j].gangs[g].pool for j, g, _ in (*found.run, *found.hours)}
