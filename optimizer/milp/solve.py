"""Solve an instance with OR-Tools, and say how good the answer is proven to be."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from optimizer.milp.assemble import assemble
from optimizer.milp.cuts import pool_prices
from optimizer.milp.instance import Instance, Solution, TermOffer
from optimizer.milp.linear_model import INF
from optimizer.milp.merge import merge_days
from optimizer.milp.placement import free_to_place, place_early
from optimizer.milp.polish import can_polish, objective, polish
from optimizer.milp.solver import SolveOptions, run_solver
from optimizer.milp.variables import Variables
from optimizer.milp.worth import missing, more_worths, with_worths

SMALL_COLUMNS = 4000
"""Up to so many columns the daily model is solved as it is."""
MEDIUM_COLUMNS = 40_000
"""Up to so many columns the daily model gets a last try when the merged one left a gap."""
LAST_TRY_S = 15.0
SHORT_TERM_DAYS = 7
"""Terms up to this long stay free in the daily model, wherever the merged one put them."""
CHEAP_POOLS = 2
"""Cheapest pools of each workload that the daily model keeps in any case."""
ROUGH = 0.1
"""Gap at which the solver stops where days are polished afterwards."""
WORTHS_SHARE = 0.2
"""Most of the time that is given to what requests of several sizes are worth."""
EXACTLY = 1e-9
"""Gap to which single days are polished."""
TINY = 1e-7
__all__ = ["NoSolution", "SolveOptions", "solve"]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class NoSolution:
    """Why there is no plan."""

    infeasible: bool
    """Proven: no plan exists. False: none was found in time."""


def solve(data: Instance, options: SolveOptions | None = None) -> Solution | NoSolution:
    """The cheapest plan of an exact instance, within the gap or the time allowed.

    Small instances are solved as they are. Large ones first as merged periods, whose bound holds
    for the daily model (`merge`), then day by day with only the long terms and purchases that the
    merged solution found worth a place; the two together prove the gap.
    """
    options = options or SolveOptions()
    deadline = time.monotonic() + options.time_limit_s
    if _size(data) <= SMALL_COLUMNS:
        found = _solve_exact(data, options, deadline, bound=-INF)
    else:
        data = with_worths(data, time.monotonic() + options.time_limit_s * WORTHS_SHARE)
        found = _solve_merged(data, options, deadline)
    return _polished(data, found, options) if isinstance(found, Solution) else found


def _polished(data: Instance, found: Solution, options: SolveOptions) -> Solution:
    alone = len(data.period_days) == 1 and found.gap <= EXACTLY
    if alone or not can_polish(data):  # one day has no equals to be made like
        return found
    exactly = replace(options, gap=EXACTLY)

    def solve_day(day: Instance) -> Solution | None:
        answer = _solve_exact(day, exactly, time.monotonic() + 1.0, bound=-INF)
        return answer if isinstance(answer, Solution) else None

    better = polish(data, found, solve_day)
    near = better.objective <= found.objective + 1e-6 * abs(found.objective)
    return _proven(better, found.bound) if near else found


def _size(data: Instance) -> int:
    starts = sum(len(o.starts) for o in data.term_offers) + sum(len(a.holds) for a in data.assets)
    replicas = sum(
        len(s.replicas) * (1 + len(s.buckets) * s.routed) + len(s.apis) for s in data.services
    )
    per_slice = replicas + len(data.hourly_offers) + len(data.assets) + len(data.quotas)
    gangs = sum(len(j.gangs) * len(data.slices_of_days(j.first, j.last)) for j in data.jobs)
    return starts + per_slice * len(data.slices) + gangs


def _solve_exact(
    data: Instance,
    options: SolveOptions,
    deadline: float,
    bound: float,
    pools: Collection[int] | None = None,
) -> Solution | NoSolution:
    model, v = assemble(data, pools)
    raw = run_solver(model, options, deadline)
    while raw.values is not None:
        wanted = missing(data, _solution(data, v, raw.values, raw.objective, raw.bound))
        if not wanted:
            break
        if time.monotonic() > deadline:
            return NoSolution(infeasible=False)
        data = more_worths(data, wanted)
        model, v = assemble(data, pools)
        raw = run_solver(model, options, deadline)
    if raw.values is not None and _split_hours(data, v, raw.values):
        for column in v.hours.values():
            model.whole[column] = True
        raw = run_solver(model, options, deadline)
    if raw.values is None:
        return NoSolution(raw.infeasible)
    found = _solution(data, v, raw.values, raw.objective, max(raw.bound, bound))
    found = place_early(data, found, _whole(v.total, raw.values))
    return _proven(replace(found, objective=objective(data, found)), found.bound)


def _proven(found: Solution, bound: float) -> Solution:
    """With its bound; the cost of whole numbers may be a rounding error below the solver's."""
    return replace(found, bound=min(bound, found.objective))


def _split_hours(data: Instance, v: Variables, values: list[float]) -> bool:
    """Whether an hour that `place_early` will not place is split between slices."""
    return any(
        abs(values[c] - round(values[c])) > 1e-6
        for (j, _, _), c in v.hours.items()
        if not free_to_place(data, j)
    )


def _solve_merged(data: Instance, options: SolveOptions, deadline: float) -> Solution | NoSolution:
    bound, best = -INF, None
    for longest in (7, 3):
        left = deadline - time.monotonic()
        if best is not None and (best.gap <= options.gap or left < 1):
            break
        merged = merge_days(data, longest)
        model, v = assemble(merged.instance)
        first = replace(options, gap=options.gap / 4)
        raw = run_solver(model, first, time.monotonic() + left * 0.3)
        bound = max(bound, raw.bound)
        if raw.values is None and raw.infeasible:
            return NoSolution(infeasible=True)
        if raw.values is None:
            # Too large for the time: its linear relaxation still proves something.
            model.whole = [False] * len(model.whole)
            loose = run_solver(model, first, time.monotonic() + left * 0.2)
            bound = max(bound, loose.bound)
            break
        narrowed, start_ids, hold_ids = _narrow(data, merged.starts, merged.holds, v, raw.values)
        # Days with mixes are solved one by one to the end: much faster than all at once.
        roughly = any(s.worths for s in data.services) and can_polish(data)
        near = replace(options, gap=max(options.gap, ROUGH) if roughly else options.gap / 2)
        pools = _pools_used(data, v, raw.values)
        if data.limits.sellers == INF:
            pools |= _pools_cheap(data)  # else they may be of sellers that are one too many
        until = time.monotonic() + (deadline - time.monotonic()) * 0.5
        found = _solve_exact(narrowed, near, until, -INF, pools)
        if isinstance(found, Solution) and roughly:
            found = _polished(narrowed, found, options)
        if isinstance(found, Solution) and (best is None or found.objective < best.objective):
            best = replace(
                found,
                start={(o, start_ids[o][i]): n for (o, i), n in found.start.items()},
                hold={(a, hold_ids[a][i]): n for (a, i), n in found.hold.items()},
            )
        if best is not None:
            best = _proven(best, bound)
    if best is None:
        by_hour = _by_the_hour(data, options, deadline)
        if not isinstance(by_hour, Solution):
            return _solve_exact(data, options, deadline, bound)
        best = _proven(by_hour, bound)
    if best.gap > options.gap and _size(data) <= MEDIUM_COLUMNS:
        until = min(deadline, time.monotonic() + LAST_TRY_S)
        whole = _solve_exact(data, options, until, bound)
        if isinstance(whole, Solution):
            cheaper = min(best, whole, key=lambda found: found.objective)
            best = _proven(cheaper, max(bound, whole.bound))
    return best


def _by_the_hour(data: Instance, options: SolveOptions, deadline: float) -> Solution | NoSolution:
    """A plain plan, found fast: nothing bought or long, each workload on its cheapest pools."""
    if data.least_bought:
        return NoSolution(infeasible=False)
    plain = replace(
        data,
        term_offers=tuple(
            offer if _short(offer) else replace(offer, starts=()) for offer in data.term_offers
        ),
        assets=tuple(replace(asset, holds=()) for asset in data.assets),
    )
    there = {asset.pool for asset in data.assets if any(asset.owned)}
    there |= {quota.pool for quota in data.quotas}
    until = time.monotonic() + max(2.0, (deadline - time.monotonic()) * 0.6)
    rough = replace(options, gap=max(options.gap, 0.02))
    return _solve_exact(plain, rough, until, -INF, _pools_cheap(data) | there)


def _short(offer: TermOffer) -> bool:
    return all(len(begin.cover) <= SHORT_TERM_DAYS for begin in offer.starts)


def _pools_used(data: Instance, v: Variables, values: list[float]) -> set[int]:
    """Pools on which anything runs in a solution of the merged model."""
    used = {data.services[i].replicas[c].pool for (i, c, s) in _positive(v.serve, values)}
    used |= {data.jobs[j].gangs[g].pool for (j, g, s) in _positive(v.run, values)}
    used |= {data.jobs[j].gangs[g].pool for (j, g, s) in _positive(v.hours, values)}
    ways = (way for column, way in v.whole_run.items() if values[column] > TINY)
    used |= {data.jobs[way.job].gangs[way.gang].pool for way in ways}
    return used


def _pools_cheap(data: Instance) -> set[int]:
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


def _positive(columns: Mapping[K, int], values: list[float]) -> list[K]:
    return [key for key, column in columns.items() if values[column] > TINY]


def _narrow(
    data: Instance,
    starts: list[list[list[int]]],
    holds: list[list[list[int]]],
    v: Variables,
    values: list[float],
) -> tuple[Instance, list[list[int]], list[list[int]]]:
    """The daily instance with long terms and purchases only where the merged solution has them.

    Returns it with, for each offer and asset, the daily index of each start that is left.
    """
    used_starts, used_holds = set(_positive(v.start, values)), set(_positive(v.hold, values))
    start_ids, offers = [], []
    for o, offer in enumerate(data.term_offers):
        if _short(offer):
            kept = list(range(len(offer.starts)))
        else:
            kept = [i for m, ids in enumerate(starts[o]) if (o, m) in used_starts for i in ids]
        start_ids.append(kept)
        offers.append(replace(offer, starts=tuple(offer.starts[i] for i in kept)))
    hold_ids, assets = [], []
    for a, asset in enumerate(data.assets):
        kept = [i for m, ids in enumerate(holds[a]) if (a, m) in used_holds for i in ids]
        hold_ids.append(kept)
        assets.append(replace(asset, holds=tuple(asset.holds[i] for i in kept)))
    narrowed = replace(data, term_offers=tuple(offers), assets=tuple(assets))
    return narrowed, start_ids, hold_ids


def _solution(
    data: Instance, v: Variables, x: list[float], objective: float, bound: float
) -> Solution:
    """Values by index, whole numbers made exactly whole, zeros left out."""
    run, hours = _whole(v.run, x), _whole(v.hours, x)
    for column, way in v.whole_run.items():
        if round(x[column]):
            on_pool = not data.jobs[way.job].gangs[way.gang].by_hour
            for s, worked in way.shares:
                if on_pool:
                    run[way.job, way.gang, s] = 1
                else:
                    hours[way.job, way.gang, s] = round(worked)
    return Solution(
        objective=objective,
        bound=bound,
        start=_whole(v.start, x),
        hourly=_whole(v.hourly, x),
        hold=_whole(v.hold, x),
        busy=_shares(v.busy, x),
        free=_shares(v.free, x),
        serve=_whole(v.serve, x),
        api=_shares(v.api, x),
        run=run,
        hours=hours,
        moved=tuple(j for j, c in v.move.items() if round(x[c])),
    )


def _whole(columns: Mapping[K, int], x: list[float]) -> dict[K, int]:
    return {key: round(x[c]) for key, c in columns.items() if round(x[c])}


def _shares(columns: Mapping[K, int], x: list[float]) -> dict[K, float]:
    return {key: x[c] for key, c in columns.items() if x[c] > TINY}
