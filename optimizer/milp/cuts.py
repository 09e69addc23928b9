"""Cuts that price a service's load in whole replicas, for the merged model."""

from __future__ import annotations

import heapq
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from optimizer.milp.instance import INF, Instance, Service
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.solver import SolveOptions, run_solver


def pool_prices(data: Instance) -> list[list[float]]:
    """Price vectors, each [pool] price of a node-hour: by the hour, and on the cheapest terms.

    Any non-negative prices give valid cuts; prices near those of a good plan make tight ones.
    """
    hourly = [INF] * len(data.pools)
    lowest = [INF] * len(data.pools)
    hours_in_day = sum(point.hours for point in data.slices if point.period == 0)
    for offer in data.hourly_offers:
        hourly[offer.pool] = min(hourly[offer.pool], offer.price)
    for term in data.term_offers:
        for begin in term.starts:
            price = begin.cost / ((begin.until - begin.day) * hours_in_day)
            lowest[term.pool] = min(lowest[term.pool], price)
    for asset in data.assets:
        busy = sum(asset.busy[: len(data.slices) // len(data.period_days)]) / hours_in_day
        for hold in asset.holds:
            days = max(1, hold.until - hold.day)
            price = max(0.0, hold.cost) / (days * hours_in_day) + busy
            lowest[asset.pool] = min(lowest[asset.pool], price)
        if any(asset.owned):
            lowest[asset.pool] = min(lowest[asset.pool], busy)
    for quota in data.quotas:
        lowest[quota.pool] = 0.0
    pairs = list(zip(hourly, lowest, strict=True))
    by_hour = [h if h < INF else low for h, low in pairs]
    vectors = [by_hour, [min(pair) for pair in pairs]]
    return [[0.0 if price == INF else price for price in vector] for vector in vectors]


def as_one_size(service: Service, prices: list[float]) -> Service:
    r"""A service of one size of request that any replicas that carry the mix carry too.

    For any $w \ge 0$, replicas that carry all buckets satisfy
    $$\sum_b w_b\, load_b (1 + headroom) \le \sum_c serve_c \max_b w_b\, rate_{c,b}$$
    because a replica's time, shared out over buckets, is worth at most its best bucket. Here
    $w_b = \min_c share_c\, price_{pool(c)} / rate_{c,b}$, what a request of the bucket costs where
    it is cheapest: the dual of the relaxation with split replicas, so nothing is lost but the
    rounding. A service without buckets is itself.
    """
    if not service.buckets:
        return service
    worth = cheapest_worth(service, prices)
    carried = [service.earnings(worth, c) for c in range(len(service.replicas))]
    replicas = tuple(
        replace(r, capacity=capacity, rates=())
        for r, capacity in zip(service.replicas, carried, strict=True)
        if capacity > 0
    )
    return replace(service, replicas=replicas, buckets=(), worths=())


def cheapest_worth(service: Service, prices: list[float]) -> tuple[float, ...]:
    """[bucket] what a request costs where it is cheapest, scaled so that one is worth 1 on average.

    Without buckets that is 1; so it is where prices of nothing make nothing of it.
    """
    worth = [
        min(
            (r.share * prices[r.pool] / r.rates[b] for r in service.replicas if r.rates[b]),
            default=0.0,
        )
        for b in range(len(service.buckets))
    ]
    mean = sum(w * share for w, share in zip(worth, service.buckets, strict=True))
    return tuple(w / mean for w in worth) if mean else (1.0,) * len(worth)


def least_cover_cost(service: Service, load: float, prices: list[float]) -> float:
    r"""Least price per hour of whole replicas that carry a load with its headroom.

    $$\min \sum_c share_c\, price_{pool(c)}\, x_c \quad\text{s.t.}\quad
      \sum_c capacity_c\, x_c \ge load\,(1 + headroom),\; x \text{ whole}$$
    """
    items = [(r.capacity, r.share * prices[r.pool]) for r in service.replicas]
    return least_whole_cost(items, load * (1 + service.headroom))


def least_whole_cost(choices: Iterable[tuple[float, float]], demand: float) -> float:
    r"""Least price of whole numbers of (capacity, price) whose capacities add up to the demand.

    $$\min \sum_c price_c\, x_c \quad\text{s.t.}\quad \sum_c capacity_c\, x_c \ge demand,\;
      x \text{ whole}$$

    Solved by best-first search over what is left to carry; the bound of a state is its cost so
    far plus the rest at the best price per unit of capacity.
    """
    items = _efficient(choices)
    if not items or demand <= 0:
        return 0.0
    rate = min(cost / capacity for capacity, cost in items)
    heap = [(demand * rate, 0.0, demand, 0)]
    seen: set[tuple[float, int]] = set()
    while heap:
        bound, cost, left, first = heapq.heappop(heap)
        if left <= 1e-9:
            return cost
        if (round(left, 9), first) in seen:
            continue
        seen.add((round(left, 9), first))
        if len(seen) > MOST_STATES:
            return bound
        for i in range(first, len(items)):
            capacity, price = items[i]
            rest = max(0.0, left - capacity)
            heapq.heappush(heap, (cost + price + rest * rate, cost + price, rest, i))
    return 0.0


MOST_NODES, MOST_S = 500, 10.0
"""Of the solver for one cut. The nodes end it, so that the cut does not hang on the clock."""
MOST_STATES = 20_000
"""The search then returns its bound, which is as valid and a little weaker."""


def _efficient(choices: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """(capacity, price) of those that no other outdoes."""
    items = sorted(set(choices), key=lambda item: (-item[0], item[1]))
    kept: list[tuple[float, float]] = []
    for capacity, price in items:
        if all(price < other for _, other in kept):
            kept.append((capacity, price))
    return kept


def least_supply_cost(
    services: Sequence[Service], loads: Sequence[float], prices: list[float]
) -> float:
    r"""Least price per hour of whole nodes that carry the loads of several services at once.

    $$\min \sum_p price_p\, N_p \quad\text{s.t.}\quad \sum_c capacity_c\, x_{v,c} \ge
      load_v (1 + headroom_v),\; \sum_{v,c: pool(c)=p} share_c\, x_{v,c} \le N_p,\;
      N, x \text{ whole}$$

    Services share nodes, so their prices do not simply add up. Buckets count by their worth: as
    known, else by what they cost at these prices. A small model of its own; what it returns is the
    solver's bound, which is as valid as the least itself.
    """
    model, _ = supply_model(services, loads, prices)
    options = SolveOptions(gap=1e-4, nodes=MOST_NODES)
    raw = run_solver(model, options, time.monotonic() + MOST_S)
    return raw.bound if raw.values is not None else 0.0


def supply_model(
    services: Sequence[Service], loads: Sequence[float], prices: list[float]
) -> tuple[LinearModel, dict[tuple[int, int], int]]:
    """The model of `least_supply_cost`, with the columns of (service, replica)."""
    model = LinearModel()
    columns: dict[tuple[int, int], int] = {}
    used: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for v, (service, load) in enumerate(zip(services, loads, strict=True)):
        for c, replica in enumerate(service.replicas if load else ()):
            columns[v, c] = model.column(f"serve[{v},{c}]", whole=True)
            used[replica.pool].append((columns[v, c], replica.share))
        worths = service.worths or (cheapest_worth(service, prices),)
        for n, worth in enumerate(worths if load else ()):
            carried = [
                (columns[v, c], service.earnings(worth, c)) for c in range(len(service.replicas))
            ]
            model.row(f"demand[{v},{n}]", carried, lower=load * (1 + service.headroom))
    for p, terms in used.items():
        nodes = model.column(f"nodes[{p}]", whole=True, cost=prices[p])
        model.row(f"capacity[{p}]", [*terms, (nodes, -1.0)], upper=0)
    return model, columns
